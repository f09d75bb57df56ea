import type { Measured } from "../record/epoch-metrics.js";
import { toRecorded } from "../record/number.js";
import type { SampleSignals } from "./sample-signals.js";

export type { Measured };

type Losses = Pick<SampleSignals, "loss" | "correct">;

/** Sums in float64 over the samples that were added: means over samples, never means of batch means. */
export interface Tally {
  loss: number;
  correct: number;
  count: number;
}

export const emptyTally = (): Tally => ({ loss: 0, correct: 0, count: 0 });

export function addTo(tally: Tally, { loss, correct }: Losses): void {
  for (let at = 0; at < loss.length; at++) {
    tally.loss += loss[at];
    tally.correct += correct[at];
  }
  tally.count += loss.length;
}

/** Mean loss and accuracy. */
export const measuredOf = ({ loss, correct, count }: Tally): Measured => ({
  loss: toRecorded(loss / count),
  accuracy: correct / count,
  count,
});

/** Mean loss and accuracy of these samples. */
export function toMeasured(samples: Losses): Measured {
  const tally = emptyTally();
  addTo(tally, samples);
  return measuredOf(tally);
}
