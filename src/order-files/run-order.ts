/** An order with its options, as a run asks it: ours in this thread, one in a user's file in a thread of its own. */
import { type BatchingRun, batchSizes, type ChosenBatching } from "../batching/index.js";
import { type Candidates, candidatesBy } from "../orders/candidates.js";
import { allocateMemory, batchContext, type OrderInputs, type PoolPlace, poolContexts } from "../orders/context.js";
import type { MemoryArray, OrderDefinition, Pool, WantedScores } from "../orders/contract.js";
import { type Declared, declaredBy } from "../orders/declared.js";
import { EpochOfBatches } from "../orders/epoch-of-batches.js";
import { sampleSize } from "../orders/fraction.js";
import { batchBy, type Ordered, orderedBy, shownTo } from "../orders/ordered.js";
import type { RecordedWork } from "./recorded-work.js";

/** Sizes of an epoch's batches: one for all, or as a batching rule has them in this run. */
export type Sizes = number | (BatchingRun & { readonly batching: ChosenBatching });

/** What an order is told before an epoch: plain data, so that it can go to another thread. */
export interface EpochInputs
  extends Required<Omit<OrderInputs<unknown>, "options" | "size" | "scores" | "spending">>,
    Pick<OrderInputs<unknown>, "scores"> {
  readonly sizes: Sizes;
}

/** What an order is told before a batch, beside its epoch's inputs. */
export interface BatchInputs {
  /** Number of the batch in its epoch, from 0. */
  readonly batch: number;
  /** Optimiser steps before it. */
  readonly step: number;
  /** Samples that it is to hold. */
  readonly count: number;
  /** Of the samples that are drawn, how many of the last are still to be learned of. */
  readonly pending: number;
  /** Samples of which the ledger may have learned since the batch before; for the first one, since `beginBatches`. */
  readonly learned: Readonly<Uint32Array>;
  /** Its candidates, where the order has them scored. */
  readonly pool?: Pool | undefined;
}

/** An epoch under way, of an order that decides each batch. */
export interface BatchesUnderWay {
  /** The candidates of a batch, of an order that has them scored; whatever was decided. Throws what the order throws. */
  candidates(place: PoolPlace): Promise<Candidates>;
  /** What it keeps is then in the epoch's `memory`, which is else left as it is. Throws what the order throws. */
  next(inputs: BatchInputs): Promise<Ordered>;
}

export interface RunOrder extends Declared {
  readonly name: string;
  /** Of a replay: all that it can be trained on. */
  recorded?(): RecordedWork;
  readonly readsLedger: boolean;
  /** The arrays that it declares, for n samples, all zero. */
  allocateMemory(n: number): Promise<Readonly<Record<string, MemoryArray>>>;
  /**
   * What it makes of an epoch; what it keeps is in `memory`, which it changes in place. One that decides each batch learns
   * nothing meanwhile. Throws what it throws.
   */
  order(inputs: EpochInputs): Promise<Ordered>;
  /**
   * Begins an epoch, or goes on in one of which these samples are drawn; of an order that decides each batch. The ledger
   * is one that goes on learning: it is looked at when a batch is decided.
   */
  beginBatches(inputs: EpochInputs, drawn: Readonly<Uint32Array>): Promise<BatchesUnderWay>;
  /**
   * The run needs it no more.
   * @throws IbatchError of kind `run` where it failed after it had returned its last result.
   */
  end(): Promise<void>;
  /** As `end`, for a run that is lost anyway. */
  stop(): Promise<void>;
}

/** Reads what an order wants of runs recorded earlier, of samples of these classes; these are trained on. */
export type ReadScores = (
  wanted: WantedScores,
  labels: Readonly<Uint32Array>,
  eligible: Readonly<Uint32Array>,
) => Float32Array;

/** Adds them to inputs, read once a run; where no order wants any, or nobody reads them, inputs stay as they are. */
export function scoring(
  { scores: wanted }: Pick<Declared, "scores">,
  read: ReadScores | undefined,
): (inputs: EpochInputs) => EpochInputs {
  if (wanted === undefined || read === undefined) return (inputs) => inputs;
  let scores: Float32Array | undefined;
  return (inputs) => {
    scores ??= read(wanted, inputs.labels, inputs.eligible);
    return { ...inputs, scores };
  };
}

/** One of ours. */
export function ownOrder(
  definition: OrderDefinition,
  options: Readonly<Record<string, unknown>>,
  readScores?: ReadScores,
): RunOrder {
  const { name, readsLedger, memory = {} } = definition;
  const declared = declaredBy(definition, options);
  const withScores = scoring(declared, readScores);
  return {
    ...{ name, readsLedger },
    ...declared,
    allocateMemory: async (n) => allocateMemory(memory, n),
    order: async (inputs) => orderedBy(definition, declared, ofEpoch(withScores(inputs), options)),
    beginBatches: async (inputs, drawn) => {
      const { candidates, next } = batchesBy(definition, declared, { inputs: withScores(inputs), options, drawn });
      return { candidates: async (place) => candidates(place), next: async (batch) => next(batch) };
    },
    end: async () => {},
    stop: async () => {},
  };
}

/** As `BatchesUnderWay`, at once. */
export interface Deciding {
  candidates(place: PoolPlace): Candidates;
  next(batch: Omit<BatchInputs, "learned">): Ordered;
}

/** Decides batch after batch of an epoch of which `drawn` is drawn already. Throws what the order throws. */
export function batchesBy<Options>(
  definition: OrderDefinition<Options>,
  declared: Declared,
  epoch: { readonly inputs: EpochInputs; readonly options: Options; readonly drawn: Readonly<Uint32Array> },
): Deciding {
  const { coverage, epochShare } = declared;
  const { labels, eligible } = epoch.inputs;
  const inputs = ofEpoch(epoch.inputs, epoch.options);
  const samples = sampleSize(epochShare, eligible.length);
  const soFar = new EpochOfBatches({ n: labels.length, eligible, coverage, samples });
  soFar.goOn(epoch.drawn);
  const contextOf = poolContexts(inputs, samples);
  return {
    candidates: (place) => candidatesBy(definition, contextOf(place)),
    next({ batch, step, count, pending, pool }) {
      const drawn = soFar.drawn(pending);
      const place = { batch, step, count, drawn, share: soFar.share, ...(pool && { pool }) };
      const ordered = batchBy(definition, batchContext(shownTo(declared, inputs), place));
      if ("fault" in ordered) return ordered;
      const fault = soFar.add(ordered.result, count);
      return fault === undefined ? ordered : { fault };
    },
  };
}

export const ofEpoch = <Options>(inputs: EpochInputs, options: Options): OrderInputs<Options> => ({
  ...inputs,
  ...(typeof inputs.sizes !== "number" && { spending: inputs.sizes.spending }),
  options,
  size: sizesOf(inputs.sizes, inputs.epoch),
});

/** Size of each batch of an epoch, by its number. */
export function sizesOf(sizes: Sizes, epoch: number): (batch: number) => number {
  return typeof sizes === "number" ? () => sizes : batchSizes(sizes.batching, { ...sizes, epoch });
}
