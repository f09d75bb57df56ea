import { EXTRA_SIGNALS, type ExtraSignal } from "../orders/contract.js";
import { NOT_SEEN } from "../record/run-record.js";

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
export class SignalHistory {
  readonly loss: Float32Array;
  /** `NOT_SEEN` where not seen. */
  readonly predictions: Uint32Array;
  readonly #extras = new Map<ExtraSignal, Float32Array>();

  constructor(n: number, extras: readonly ExtraSignal[]) {
    const unseen = () => new Float32Array(n).fill(Number.NaN);
    this.loss = unseen();
    this.predictions = new Uint32Array(n).fill(NOT_SEEN);
    for (const signal of extras) this.#extras.set(signal, unseen());
  }

  /** A sample that comes again keeps its last value. */
  record(indices: Readonly<Uint32Array>, signals: SampleSignals): void {
    put(indices, signals.loss, this.loss);
    put(indices, signals.prediction, this.predictions);
    for (const [signal, column] of this.#extras) {
      const values = signals[signal];
      if (values === undefined) throw new Error(`signal ${signal} was asked for and is not there`);
      put(indices, values, column);
    }
  }

  /** The signals that orders can read. */
  get columns(): ReadonlyMap<HistorySignal, Float32Array> {
    return new Map<HistorySignal, Float32Array>([["loss", this.loss], ...this.#extras]);
  }
}

function put<T extends Float32Array | Uint32Array>(indices: Readonly<Uint32Array>, values: T, column: T): void {
  for (let at = 0; at < indices.length; at++) column[indices[at]] = values[at];
}
