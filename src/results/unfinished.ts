/** That no run of the experiment, or of its baseline, came to its last epoch, and what to do. */
import type { RunStatus } from "../record/run-document.js";
import type { ArmMeasures, Measures } from "./measures.js";

/** None while a run may still end. */
export function unfinishedNotes({ baseline, target, arms }: Measures): string[] {
  const all = endingsOf(arms);
  if (all !== undefined) return [`No run finished: ${all.how}. ${all.advice}`];
  const ofBaseline = endingsOf(arms.filter(({ arm }) => arm === baseline));
  if (ofBaseline === undefined) return [];
  const lacking = target === null ? " and no target accuracy to count costs up to" : "";
  return [
    `No run of ${baseline} finished: ${ofBaseline.how}, so there is no mean difference from it${lacking}. ${ofBaseline.advice}`,
  ];
}

/** Undefined where a run is done, or may yet be. */
function endingsOf(arms: readonly ArmMeasures[]): { readonly how: string; readonly advice: string } | undefined {
  const states = arms.flatMap((arm) => [...arm.states.values()]);
  if (states.length === 0 || states.some((state) => state !== "diverged" && state !== "failed")) return undefined;
  const count = (wanted: RunStatus) => states.filter((state) => state === wanted).length;
  const [diverged, failed] = [count("diverged"), count("failed")];
  if (failed === 0) return { how: `${each(diverged)} diverged`, advice: LOWER_THE_RATE };
  if (diverged === 0) return { how: `${each(failed)} failed`, advice: READ_WHY };
  return { how: `${diverged} diverged and ${failed} failed`, advice: `${LOWER_THE_RATE}; ${lowerFirst(READ_WHY)}` };
}

const each = (runs: number): string => (runs === 1 ? "it" : `all ${runs}`);

const LOWER_THE_RATE = "Lower the learning rate (schedule), or raise it slowly at the start";
const READ_WHY = "What failed is told beside each run: mend that, and give the same command again";

const lowerFirst = (text: string): string => text[0].toLowerCase() + text.slice(1);
