/** All that a run recorded which is trained on again, beside what a budget wants of it. */
import { type Budget, PRICES } from "../record/budget.js";

export interface RecordedWork {
  readonly directory: string;
  readonly epochs: number;
  readonly batches: number;
  readonly samples: number;
}

/** Why it is less than is wanted; undefined where it is not: a replay would come to the end of what it replays. */
export function whyTooLittle(
  { directory, epochs, batches, samples }: RecordedWork,
  { kind, amount }: Budget,
): string | undefined {
  const { perSample, perBatch } = PRICES[kind];
  const there = perSample * samples + perBatch * batches;
  if (there >= amount) return undefined;
  return (
    `${directory} has ${there} ${kind} in ${epochs} epochs, the budget wants ${amount} of it: lower the budget, or replay ` +
    "a longer run"
  );
}
