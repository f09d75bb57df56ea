import type { Measured } from "../record/epoch-metrics.js";
import { toRecorded } from "../record/number.js";
import type { SampleSignals } from "./sample-signals.js";

export type { Measured };

/** Sums in float64 over the samples that were added: means over samples, never means of batch means. */
export class Tally {
  #loss = 0;
  #correct = 0;
  #count = 0;

  add(loss: Float32Array, correct: Uint8Array): void {
    for (let at = 0; at < loss.length; at++) {
      this.#loss += loss[at];
      this.#correct += correct[at];
    }
    this.#count += loss.length;
  }

  get measured(): Measured {
    return {
      loss: toRecorded(this.#loss / this.#count),
      accuracy: this.#correct / this.#count,
      count: this.#count,
    };
  }
}

/** Mean loss and accuracy of these samples. */
export function toMeasured({ loss, correct }: Pick<SampleSignals, "loss" | "correct">): Measured {
  const tally = new Tally();
  tally.add(loss, correct);
  return tally.measured;
}
