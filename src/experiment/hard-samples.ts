/** The training samples that a run found hardest: where mislabelled ones gather. */
import { groupByClass } from "../kernels/classes.js";
import { consecutive } from "../kernels/consecutive.js";
import { NOT_SEEN } from "../record/run-record.js";
import type { SignalHistory } from "./sample-signals.js";

/** Sums over a run's epochs, each sample as its last training pass of the epoch saw it. */
export class HardSamples {
  readonly #labels: Uint32Array;
  readonly #loss: Float64Array;
  readonly #wrong: Uint32Array;
  readonly #epochs: Uint32Array;

  constructor(labels: Uint32Array) {
    this.#labels = labels;
    this.#loss = new Float64Array(labels.length);
    this.#wrong = new Uint32Array(labels.length);
    this.#epochs = new Uint32Array(labels.length);
  }

  record({ predictions, loss }: Pick<SignalHistory, "predictions" | "loss">): void {
    for (let sample = 0; sample < predictions.length; sample++) {
      if (predictions[sample] === NOT_SEEN) continue;
      this.#loss[sample] += loss[sample];
      this.#wrong[sample] += Number(predictions[sample] !== this.#labels[sample]);
      this.#epochs[sample] += 1;
    }
  }

  /**
   * Of each class the `count` samples with the highest mean loss, and the `count` that were misjudged in the largest
   * share of epochs (of equally many, those with the higher mean loss); ascending, none twice.
   */
  choose(classCount: number, count: number): Uint32Array {
    const seen = consecutive(this.#labels.length).filter((sample) => this.#epochs[sample] > 0);
    const { indices, offsets } = groupByClass(seen, this.#labels, classCount);
    const chosen = new Set<number>();
    for (let label = 0; label < classCount; label++) {
      const members = [...indices.subarray(offsets[label], offsets[label + 1])];
      const byLoss = members.sort((a, b) => this.#meanLoss(b) - this.#meanLoss(a) || a - b);
      const byShare = byLoss.filter((sample) => this.#wrong[sample] > 0);
      byShare.sort((a, b) => this.#wrongShare(b) - this.#wrongShare(a)); // stable: then by loss
      for (const sample of [...byLoss.slice(0, count), ...byShare.slice(0, count)]) chosen.add(sample);
    }
    return Uint32Array.from(chosen).sort();
  }

  #meanLoss(sample: number): number {
    return this.#loss[sample] / this.#epochs[sample];
  }

  #wrongShare(sample: number): number {
    return this.#wrong[sample] / this.#epochs[sample];
  }
}
