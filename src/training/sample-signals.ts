import { EXTRA_SIGNALS, type ExtraSignal } from "../orders/contract.js";
import { NOT_SEEN } from "../record/recorded-signals.js";

/** What the backend said of some samples: one value a sample, all in one sequence. */
export type SampleSignals = {
  readonly loss: Float32Array;
  readonly correct: Uint8Array;
  /** The class that was predicted. */
  readonly prediction: Uint32Array;
} & { readonly [signal in ExtraSignal]?: Float32Array | undefined };

/** As an answer holds them: whichever were asked for. */
export type AnsweredSignals = { readonly [signal in keyof SampleSignals]?: SampleSignals[signal] | undefined };

/** Asked for in every pass. */
export const ALWAYS_ASKED = ["loss", "correct", "prediction"] as const;

/** The signals whose history is kept. */
export type HistorySignal = "loss" | ExtraSignal;

/** Of the first `count` samples. */
export function firstSignals(signals: SampleSignals, count: number): SampleSignals {
  const { loss, correct, prediction } = signals;
  return {
    loss: loss.subarray(0, count),
    correct: correct.subarray(0, count),
    prediction: prediction.subarray(0, count),
    ...mapExtras(signals, (values) => values.subarray(0, count)),
  };
}

/** The extra signals that are there, each put through `act`. */
export function mapExtras<T>(
  signals: { readonly [signal in ExtraSignal]?: Readonly<Float32Array> | undefined },
  act: (values: Readonly<Float32Array>, signal: ExtraSignal) => T,
): { [signal in ExtraSignal]?: T } {
  const mapped: { [signal in ExtraSignal]?: T } = {};
  for (const signal of EXTRA_SIGNALS) {
    const values = signals[signal];
    if (values !== undefined) mapped[signal] = act(values, signal);
  }
  return mapped;
}

/** The signals of one pass over samples, in index order: a file of the history for each. NaN where not seen. */
export type SignalHistory = {
  readonly loss: Float32Array;
  /** `NOT_SEEN` where not seen. */
  readonly predictions: Uint32Array;
} & { readonly [signal in ExtraSignal]?: Float32Array | undefined };

export function emptyHistory(n: number, extras: readonly ExtraSignal[]): SignalHistory {
  const unseen = () => new Float32Array(n).fill(Number.NaN);
  return {
    loss: unseen(),
    predictions: new Uint32Array(n).fill(NOT_SEEN),
    ...Object.fromEntries(extras.map((signal) => [signal, unseen()])),
  };
}

/** A sample that comes again keeps its last value. */
export function recordHistory(history: SignalHistory, indices: Readonly<Uint32Array>, signals: SampleSignals): void {
  put(indices, signals.loss, history.loss);
  put(indices, signals.prediction, history.predictions);
  mapExtras(history, (_, signal) => {
    const [values, column] = [signals[signal], history[signal]];
    if (values === undefined || column === undefined) {
      throw new Error(`signal ${signal} was asked for and is not there`);
    }
    put(indices, values, column);
  });
}

/** Those that orders can read, each with a value a sample. */
export function columnsOf(history: SignalHistory): ReadonlyMap<HistorySignal, Float32Array> {
  const columns = new Map<HistorySignal, Float32Array>([["loss", history.loss]]);
  for (const signal of EXTRA_SIGNALS) {
    const column = history[signal];
    if (column !== undefined) columns.set(signal, column);
  }
  return columns;
}

function put<T extends Float32Array | Uint32Array>(indices: Readonly<Uint32Array>, values: T, column: T): void {
  for (let at = 0; at < indices.length; at++) column[indices[at]] = values[at];
}
