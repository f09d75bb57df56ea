/** What is said of a tuning while it goes on. */
import type { Tune } from "../../config/tune.js";
import type { TunedArm } from "../../record/tuning-record.js";

/** `trials`, `own`: how many runs choose the rates, and how many come after them. */
export const startText = (
  { learningRate, validation }: Tune,
  { trials, own }: { readonly trials: number; readonly own: number },
): string =>
  `tuning: ${runs(trials)} on the training samples but for ${percent(validation)}, which they are measured on, choose each arm's ` +
  `learning rate from ${learningRate.join(", ")}; then ${runs(own)} with the chosen ones`;

export function tunedText({ arm, rate, end, lack }: TunedArm, { learningRate }: Pick<Tune, "learningRate">): string {
  if (lack !== undefined) return `tuning: ${lack}`;
  return `tuning: ${arm} has learning rate ${rate} of ${learningRate.join(", ")}${end === undefined ? "" : `: ${atEnd(end)}`}`;
}

const atEnd = (end: NonNullable<TunedArm["end"]>): string =>
  `the ${end} that was tried, so a ${end === "lowest" ? "lower" : "higher"} one may be better: widen tune.learningRate`;

const runs = (count: number): string => (count === 1 ? "1 run" : `${count} runs`);

const percent = (share: number): string => `${Number((100 * share).toFixed(2))} %`;
