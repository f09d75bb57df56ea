/** What is known of each sample; orders see it read-only. Filled a chunk at a time, in the order of training. */
import type { ExtraSignal } from "../orders/contract.js";
import { mapExtras, type SampleSignals } from "./sample-signals.js";

type SeenSignals = Omit<SampleSignals, "prediction">;

/** One value a sample in each column, as `LedgerView` says; `emptyLedger` makes one. */
export type Ledger = {
  readonly loss: Float32Array;
  readonly meanLoss: Float32Array;
  readonly seenAtStep: Int32Array;
  readonly correct: Uint8Array;
  readonly draws: Uint32Array;
} & { readonly [signal in ExtraSignal]?: Float32Array | undefined };

export interface LedgerRules {
  /** From which passes losses are taken; draws are counted in training whatever this says. */
  readonly source: "training" | "rescore";
  /** Weight of the old mean in `meanLoss`, 0 … 1. */
  readonly meanDecay: number;
}

/**
 * Writes down what a chunk's training passes returned. Batch b, offsets[b] … offsets[b+1]-1, was step firstStep + b;
 * values are in the order of `indices`.
 */
export function recordTraining(
  ledger: Ledger,
  { source, meanDecay }: LedgerRules,
  { indices, offsets, firstStep, signals }: TrainedChunk,
): void {
  for (const index of indices) ledger.draws[index] += 1;
  if (source === "rescore") return;
  for (let batch = 0; batch + 1 < offsets.length; batch++) {
    const seen = { indices, start: offsets[batch], end: offsets[batch + 1], step: firstStep + batch, signals };
    see(ledger, meanDecay, seen);
  }
}

/** Writes down what a scoring pass after `step` steps returned. */
export function recordScores(
  ledger: Ledger,
  { meanDecay }: LedgerRules,
  { indices, step, signals }: Pick<Seen, "indices" | "step" | "signals">,
): void {
  see(ledger, meanDecay, { indices, start: 0, end: indices.length, step, signals });
}

/** The samples indices[start … end-1] were seen at this step. */
interface Seen {
  readonly indices: Readonly<Uint32Array>;
  readonly start: number;
  readonly end: number;
  readonly step: number;
  readonly signals: SeenSignals;
}

function see(ledger: Ledger, meanDecay: number, { indices, start, end, step, signals }: Seen): void {
  const { loss, meanLoss, correct, seenAtStep } = ledger;
  for (let at = start; at < end; at++) {
    const sample = indices[at];
    const before = meanLoss[sample];
    const now = signals.loss[at];
    meanLoss[sample] = Number.isNaN(before) ? now : meanDecay * before + (1 - meanDecay) * now;
    loss[sample] = now;
    correct[sample] = signals.correct[at];
    seenAtStep[sample] = step;
  }
  mapExtras(signals, (values, signal: ExtraSignal) => {
    const column = ledger[signal];
    for (let at = start; column !== undefined && at < end; at++) column[indices[at]] = values[at];
  });
}

export interface TrainedChunk {
  readonly indices: Uint32Array;
  readonly offsets: Uint32Array;
  readonly firstStep: number;
  readonly signals: SeenSignals;
}
