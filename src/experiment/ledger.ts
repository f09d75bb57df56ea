import { emptyLedger } from "../orders/context.js";
import type { ExtraSignal, LedgerView } from "../orders/contract.js";
import { mapExtras, type SampleSignals } from "./sample-signals.js";

type SeenSignals = Omit<SampleSignals, "prediction">;

export interface LedgerRules {
  /** From which passes losses are taken; draws are counted in training whatever this says. */
  readonly source: "training" | "rescore";
  /** Weight of the old mean in `meanLoss`, 0 … 1. */
  readonly meanDecay: number;
  /** The signals that are kept beside loss and correct. */
  readonly extras: readonly ExtraSignal[];
}

/** What is known of each sample; orders see it read-only. Filled a chunk at a time, in the order of training. */
export class Ledger {
  readonly #columns: ReturnType<typeof emptyLedger>;
  readonly #rules: LedgerRules;

  constructor(n: number, rules: LedgerRules) {
    this.#rules = rules;
    this.#columns = emptyLedger(n, rules.extras);
  }

  get view(): LedgerView {
    return this.#columns;
  }

  /**
   * Writes down what a chunk's training passes returned. Batch b, offsets[b] … offsets[b+1]-1, was step firstStep + b;
   * values are in the order of `indices`.
   */
  recordTraining({ indices, offsets, firstStep, signals }: TrainedChunk): void {
    for (const index of indices) this.#columns.draws[index] += 1;
    if (this.#rules.source === "rescore") return;
    for (let batch = 0; batch + 1 < offsets.length; batch++) {
      this.#see(indices, offsets[batch], offsets[batch + 1], firstStep + batch, signals);
    }
  }

  /** Writes down what a scoring pass after `step` steps returned. */
  recordScores(indices: Readonly<Uint32Array>, step: number, signals: SeenSignals): void {
    this.#see(indices, 0, indices.length, step, signals);
  }

  /** The samples indices[start … end-1] were seen at this step. */
  #see(indices: Readonly<Uint32Array>, start: number, end: number, step: number, signals: SeenSignals): void {
    const { loss, meanLoss, correct, seenAtStep } = this.#columns;
    const { meanDecay } = this.#rules;
    for (let at = start; at < end; at++) {
      const sample = indices[at];
      const before = meanLoss[sample];
      const now = signals.loss[at];
      meanLoss[sample] = Number.isNaN(before) ? now : meanDecay * before + (1 - meanDecay) * now;
      loss[sample] = now;
      correct[sample] = signals.correct[at];
      seenAtStep[sample] = step;
    }
    mapExtras(signals, (values, signal) => {
      const column = this.#columns[signal];
      for (let at = start; column !== undefined && at < end; at++) column[indices[at]] = values[at];
    });
  }
}

export interface TrainedChunk {
  readonly indices: Uint32Array;
  readonly offsets: Uint32Array;
  readonly firstStep: number;
  readonly signals: SeenSignals;
}
