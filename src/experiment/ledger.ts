import { emptyLedger } from "../orders/context.js";
import type { LedgerView } from "../orders/contract.js";

/** What is known of each sample; orders see it read-only. Filled a chunk at a time, in the order of training. */
export class Ledger {
  readonly #columns: ReturnType<typeof emptyLedger>;

  constructor(n: number) {
    this.#columns = emptyLedger(n);
  }

  get view(): LedgerView {
    return this.#columns;
  }

  /**
   * Writes down what a chunk's training passes returned. Batch b, offsets[b] … offsets[b+1]-1, was step firstStep + b;
   * values are in the order of `indices`.
   */
  record(chunk: TrainedChunk): void {
    const { indices, offsets, firstStep, loss, correct } = chunk;
    const columns = this.#columns;
    for (let batch = 0; batch + 1 < offsets.length; batch++) {
      for (let at = offsets[batch]; at < offsets[batch + 1]; at++) {
        const sample = indices[at];
        columns.loss[sample] = loss[at];
        columns.correct[sample] = correct[at];
        columns.seenAtStep[sample] = firstStep + batch;
        columns.draws[sample] += 1;
      }
    }
  }

  /** Losses of the samples seen at this step or later, NaN for all others: an epoch's line of the history. */
  lossesSince(step: number): Float32Array {
    const { loss, seenAtStep } = this.#columns;
    return loss.map((value, sample) => (seenAtStep[sample] >= step ? value : Number.NaN));
  }
}

export interface TrainedChunk {
  readonly indices: Uint32Array;
  readonly offsets: Uint32Array;
  readonly firstStep: number;
  readonly loss: Float32Array;
  readonly correct: Uint8Array;
}
