/** Whether seconds are of runs that had the machine to themselves. */
import { counted } from "./number-text.js";
import type { TimedRun } from "./recorded-experiment.js";

/** Undefined where each run was trained alone, by its command, or that is not on record. */
export function sideBySideNote(runs: readonly Pick<TimedRun, "document">[]): string | undefined {
  const numbers = runs.flatMap(({ document }) => document?.sideBySide ?? []);
  if (numbers.length === 0) return undefined;
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  const many = least === most ? `${most}` : `${least} to ${most}`;
  const which = numbers.length === runs.length ? "these runs" : `${numbers.length} of ${counted(runs.length, "run")}`;
  return (
    `Seconds: ${which} were trained ${many} side by side, where cores may have been shared; the last ones of a command had ` +
    "more of them. They are not comparable with seconds of runs that were trained alone"
  );
}
