/** A summary's figures as table and page show them. */

import { fromRecorded, type RecordedNumber } from "../record/number.js";
import { isUntried, NOT_TRIED } from "../record/run-document.js";
import type { ArmSummary, Spread } from "../record/summary-document.js";

/** Mean ± sd. */
export function spreadText(value: Spread | null, format: (value: number) => string): string {
  if (value === null) return "–";
  const show = (number: RecordedNumber) => (typeof number === "number" ? format(fromRecorded(number)) : number);
  return value.sd === null ? show(value.mean) : `${show(value.mean)} ± ${show(value.sd)}`;
}

/** How an arm's runs ended, of so many planned. */
export function runsText({ done, diverged, failed, missing, runs }: ArmSummary, planned: number): string {
  const unfinished = runs.filter(({ state }) => state === "running" || state === "interrupted").length;
  const untried = runs.filter(isUntried).length;
  const others = [
    `${diverged} diverged`,
    `${failed - untried} failed`,
    `${untried} not begun`,
    `${unfinished} unfinished`,
    `${missing.length} missing`,
  ];
  return [`${done} of ${planned}`, ...others.filter((part) => !part.startsWith("0 "))].join(", ");
}

/** How each run ended that is not done: a line each, after the arm's name; those that are not on record together. */
export function endingsOf({ runs, missing }: ArmSummary): string[] {
  const ended = runs.flatMap(({ seed, state, error, divergedAtStep }) => {
    if (error !== undefined && isUntried({ error }))
      return [`seed ${seed} not begun: ${error.slice(NOT_TRIED.length)}`];
    if (error !== undefined && state !== "interrupted") return [`seed ${seed} failed: ${error}`];
    if (divergedAtStep !== undefined) return [`seed ${seed} diverged at step ${divergedAtStep}`];
    if (state === "running") return [`seed ${seed} is running, or was cut off`];
    return state === "interrupted" ? [`seed ${seed} was interrupted`] : [];
  });
  if (missing.length === 0) return ended;
  return [...ended, `seed${missing.length === 1 ? "" : "s"} ${missing.join(", ")}: no run on record`];
}

/** Whether arms trained on other numbers of samples, which their table then shows. */
export const isWorkUnequal = (arms: readonly ArmSummary[]): boolean =>
  new Set(arms.flatMap(({ samplesTrained }) => samplesTrained ?? [])).size > 1;

export const samplesText = ({ samplesTrained }: ArmSummary): string =>
  samplesTrained === null ? "–" : samplesTrained.toLocaleString("en-US", { maximumFractionDigits: 1 });

/** Of a share. */
export const percent = (share: number): string => (100 * share).toFixed(2);
/** Of one that explodes, its size. */
export const lossText = (loss: number): string => (Math.abs(loss) < 1e6 ? loss.toFixed(4) : loss.toExponential(4));
