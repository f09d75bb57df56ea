/**
 * All that lasts from one batch of a run to the next, as plain data: numbers, and typed arrays. What is not in here is
 * derived from it, from the config and from what the backend opened, and equals its rebuild. A checkpoint holds it
 * whole, whatever is added to it (`splitState`), and gives nothing else back (`joinState`).
 */
import { z } from "zod";
import { isRecord } from "../exact-json.js";
import { emptyLedger } from "../orders/context.js";
import type { ExtraSignal } from "../orders/contract.js";
import type { Accepted } from "../record/checkpoints.js";
import { withinPoint } from "../record/epoch-metrics.js";
import type { NumberArray } from "../record/safetensors.js";
import type { EpochSeconds } from "./clock.js";
import { noHardSamples } from "./hard-samples.js";
import { emptyTally } from "./measured.js";
import type { Before } from "./run-length.js";
import { emptyHistory } from "./sample-signals.js";

const count = z.int().min(0);
const u8 = z.custom<Uint8Array>((value) => value instanceof Uint8Array);
const u32 = z.custom<Uint32Array>((value) => value instanceof Uint32Array);
const i32 = z.custom<Int32Array>((value) => value instanceof Int32Array);
const f32 = z.custom<Float32Array>((value) => value instanceof Float32Array);
const f64 = z.custom<Float64Array>((value) => value instanceof Float64Array);
const extras = {
  margin: f32.optional(),
  entropy: f32.optional(),
  el2n: f32.optional(),
} satisfies Record<ExtraSignal, z.ZodType>;

const ledger = z.strictObject({
  loss: f32,
  meanLoss: f32,
  seenAtStep: i32,
  correct: u8,
  draws: u32,
  ...extras,
});

/** What an order keeps, by the names that it declares. */
const orderMemory = z.record(z.string(), z.union([u8, u32, i32, f32, f64]));
export type OrderMemory = Readonly<z.infer<typeof orderMemory>>;

const workSeconds = z.strictObject({ training: z.number(), scoring: z.number(), evaluating: z.number() });

/** They were planned before the epoch, and are again where the run goes on in it. */
const planned = z.strictObject({ hashes: z.strictObject({ orderSha256: z.string(), planSha256: z.string() }) });
export type PlannedBatches = z.infer<typeof planned>;

/** They are decided one after another. */
const decided = z.strictObject({
  /** Those from the run's step on are still to be trained on: what they were chosen by is past. */
  count,
  /** Steps between the last losses that a choice has seen and its batch. */
  lag: count,
  /** As long as the whole epoch. */
  indices: u32,
  /** Likewise; null: the order gives none. */
  weights: f32.nullable(),
  /** What the order keeps after the last of them. */
  memory: orderMemory,
  watched: z.strictObject({
    ...{ results: count, samples: count, effectiveDataSize: z.number() },
    ...{ included: count, inverseInclusion: z.number() },
    ...{ weighted: count, weight: z.number(), weightSquared: z.number() },
    ...{ aged: count, age: z.number() },
  }),
});

const epochUnderWay = z.strictObject({
  firstStep: count,
  /** Samples of the scoring pass before it. */
  scored: count,
  batches: z.union([planned, decided]),
  /** As the order saw it; null where it reads none. */
  ledger: ledger.nullable(),
  /** Of the training passes. */
  history: z.strictObject({ loss: f32, predictions: u32, ...extras }),
  tally: z.strictObject({ loss: z.number(), correct: z.number(), count }),
  seconds: z.strictObject({ total: z.number(), ordering: z.number(), spent: workSeconds, underWay: workSeconds }),
  // Last, as what is added later is: a state has the same bytes whether it was read or not.
  /** Evaluations of it so far, by their steps; absent where there was none. */
  within: z.record(z.string(), withinPoint).optional(),
});
/** An epoch which is trained up to the run's step. */
export type EpochUnderWay = z.infer<typeof epochUnderWay>;
export type DecidedBatches = z.infer<typeof decided>;

const runState = z.strictObject({
  /** Batches trained on. */
  step: count,
  /** Samples trained on. */
  samples: count,
  /** Samples scored before this epoch. */
  scored: count,
  /** The epoch under way, or the next one. */
  epoch: count,
  ledger,
  /** As it was before the plan of this epoch was made; null: the order was not asked yet. */
  memory: orderMemory.nullable(),
  /** What the epoch before trained on. */
  before: u32.nullable(),
  hardSamples: z.strictObject({ loss: f64, wrong: u32, epochs: u32 }),
  /** Null between two epochs. */
  underWay: epochUnderWay.nullable(),
  /** The batch from which on weights are counted into their mean; absent where that is not known yet, or none is wanted. */
  averagedFrom: count.optional(),
});
export type RunState = z.infer<typeof runState>;

/** A run before its first batch. `extras`: signals that the order declares. */
export const newRunState = (n: number, extras: readonly ExtraSignal[]): RunState => ({
  step: 0,
  samples: 0,
  scored: 0,
  epoch: 0,
  ledger: emptyLedger(n, extras),
  memory: null,
  before: null,
  hardSamples: noHardSamples(n),
  underWay: null,
});

/** What was done before the epoch under way, or before the next one. */
export const beforeEpoch = ({ epoch, step, samples, scored, underWay }: RunState): Before => ({
  epoch,
  step: underWay?.firstStep ?? step,
  samples: samples - (underWay?.tally.count ?? 0),
  scored,
});

/** What will have been done when the epoch under way, which is trained to its end, is over. */
export const afterEpoch = ({ epoch, step, samples, scored, underWay }: RunState): Before => ({
  ...{ step, samples },
  epoch: epoch + 1,
  scored: scored + (underWay?.scored ?? 0),
});

export interface Begun {
  readonly scored: number;
  /** As it is for the epoch's plan. */
  readonly ledger: RunState["ledger"];
  readonly batches: EpochUnderWay["batches"];
  /** Whether the ledger is kept for making the plan again. */
  readonly keepsLedger: boolean;
  /** Signals of training passes that are kept, beside the losses. */
  readonly extras: readonly ExtraSignal[];
  readonly seconds: EpochSeconds;
}

/** The epoch that the state stands before is under way. */
export function beginEpoch(
  state: RunState,
  { scored, ledger, batches, keepsLedger, extras, seconds }: Begun,
): EpochUnderWay {
  const underWay: EpochUnderWay = {
    firstStep: state.step,
    scored,
    batches,
    ledger: keepsLedger ? structuredClone(ledger) : null,
    history: emptyHistory(ledger.loss.length, extras),
    tally: emptyTally(),
    seconds,
  };
  state.ledger = ledger;
  state.underWay = underWay;
  return underWay;
}

/** What the epoch after the one under way starts from. */
export interface EpochEnd {
  readonly memory: OrderMemory;
  readonly before: Uint32Array;
}

/** The epoch under way is over. */
export function endEpoch(state: RunState, { memory, before }: EpochEnd): void {
  state.scored = afterEpoch(state).scored;
  state.epoch += 1;
  state.memory = memory;
  state.before = before;
  state.underWay = null;
}

/** A state as it is written down: its numbers, each array replaced by where it lies, and the arrays by those names. */
export interface SplitState {
  readonly numbers: unknown;
  readonly arrays: ReadonlyMap<string, NumberArray>;
}

/** The arrays are the state's own: whoever keeps them copies them. */
export function splitState(state: RunState): SplitState {
  const arrays = new Map<string, NumberArray>();
  return { numbers: split(state, [], arrays), arrays };
}

/** The state of a run over `n` samples at this step, or why that is none. */
export function joinState(
  { numbers, arrays, step }: SplitState & { readonly step: number },
  n: number,
): Accepted<RunState> {
  const { success, data: state, error } = runState.safeParse(ofToday(join(numbers, arrays)));
  if (!success) return { fault: `its state: ${error.issues[0].path.join(".")}: ${error.issues[0].message}` };
  if (state.step !== step) return { fault: `its state is of step ${state.step}` };
  const { hardSamples, underWay } = state;
  const perSample = [state.ledger, hardSamples, underWay?.ledger ?? {}, underWay?.history ?? {}].flatMap(Object.values);
  if (perSample.some((column) => column.length !== n)) return { fault: `it is not of ${n} samples` };
  if (!canGoOnFrom(state)) return { fault: "the batches that it was to be trained on next are not all there" };
  return { taken: state };
}

/** Whether a run can go on from here to the same bits: each choice that must not see the newest losses is made. */
export const canGoOnFrom = ({ step, underWay }: RunState): boolean =>
  underWay === null || "hashes" in underWay.batches || areWhole(underWay.batches, step - underWay.firstStep);

function areWhole({ count, lag, indices, weights, watched }: DecidedBatches, trained: number): boolean {
  const isAll = watched.samples === indices.length;
  // Before its first batch is trained on, each choice of an epoch sees the epochs before it, and no more.
  const least = isAll || trained === 0 ? trained : trained + lag;
  return count >= least && (weights === null || weights.length === indices.length);
}

/** A state as it was written before there were budgets, or batches that are decided one after another. */
function ofToday(written: unknown): unknown {
  if (!isRecord(written)) return written;
  const state: Record<string, unknown> = { scored: 0, ...written }; // only a budget counts these
  if (!isRecord(state.underWay) || !Object.hasOwn(state.underWay, "hashes")) return state;
  const { hashes, decided: _, ...underWay } = state.underWay;
  return { ...state, underWay: { ...underWay, batches: { hashes } } };
}

type Plain = null | undefined | string | number | NumberArray | { readonly [name: string]: Plain };

/** How the place of an array is written. */
const PLACE = /^array: (.+)$/;

function split(value: Plain, path: readonly string[], arrays: Map<string, NumberArray>): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) throw new Error(`${path.join(".")} is ${value}`);
  if (typeof value !== "object" || value === null) return value;
  if (isArray(value)) {
    arrays.set(path.join("."), value);
    return `array: ${path.join(".")}`;
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, split(inner, [...path, name], arrays)]),
  );
}

function join(value: unknown, arrays: ReadonlyMap<string, NumberArray>): unknown {
  const name = typeof value === "string" ? PLACE.exec(value)?.[1] : undefined;
  if (name !== undefined) return arrays.get(name);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, join(inner, arrays)]));
}

const isArray = (value: object): value is NumberArray => ArrayBuffer.isView(value);
