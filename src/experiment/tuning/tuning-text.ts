/** What is said of a tuning. */
import type { Tune } from "../../config/tune.js";
import type { MeasureKind } from "../../record/measure-kinds.js";
import type { TunedArm } from "../../record/tuning-record.js";
import { type Rival, rivalOf } from "./rank-trials.js";

/** `trials`, `own`: how many runs choose the rates, and how many come after them. */
export const startText = (
  { learningRate, validation }: Tune,
  { trials, own }: { readonly trials: number; readonly own: number },
): string =>
  `tuning: ${runs(trials)} on the training samples but for ${percent(validation)}, which they are measured on, choose each arm's ` +
  `learning rate from ${learningRate.join(", ")}; then ${runs(own)} with the chosen ones`;

export function tunedText(tuned: TunedArm, { learningRate, measure }: Pick<Tune, "learningRate" | "measure">): string {
  const { arm, rate, end, lack } = tuned;
  if (lack !== undefined) return `tuning: ${lack}`;
  const rival = rivalOf(tuned, measure);
  const doubts = [...(end ? [atEnd(end)] : []), ...(rival ? [`${rivalText(rival, measure)}: raise tune.seeds`] : [])];
  return `tuning: ${[`${arm} has learning rate ${rate} of ${learningRate.join(", ")}`, ...doubts].join("; ")}`;
}

/** `0.02 is within noise of it (0.23 points behind, standard error 0.76)` */
export function rivalText({ rate, difference, standardError }: Rival, measure: MeasureKind): string {
  const text = (value: number) => (measure === "accuracy" ? (100 * value).toFixed(2) : value.toFixed(4));
  const behind = difference === 0 ? "equal" : `${text(difference)}${measure === "accuracy" ? " points" : ""} behind`;
  return standardError === null
    ? `one run each cannot tell ${rate} from it (${behind})`
    : `${rate} is within noise of it (${behind}, standard error ${text(standardError)})`;
}

const atEnd = (end: NonNullable<TunedArm["end"]>): string =>
  `it is the ${end} that was tried, so a ${end === "lowest" ? "lower" : "higher"} one may be better: widen tune.learningRate`;

const runs = (count: number): string => (count === 1 ? "1 run" : `${count} runs`);

export const percent = (share: number): string => `${Number((100 * share).toFixed(2))} %`;
