/** The one place where an order's context is put together: for training, for `ibatch order` and for tests. */
import { consecutive } from "../kernels/consecutive.js";
import { type Random, random } from "../kernels/random.js";
import { shuffled } from "../kernels/shuffle.js";
import { progressAfter, type Spending } from "../kernels/spending.js";
import type {
  BatchContext,
  Drawn,
  ExtraSignal,
  LedgerView,
  MemoryArray,
  MemoryDeclaration,
  OrderContext,
  OrderStream,
  Pool,
  PoolContext,
} from "./contract.js";

export interface OrderInputs<Options> {
  readonly options: Options;
  readonly seed: number;
  readonly epoch: number;
  /** Epochs of the run; this one is the last when left out. */
  readonly epochs?: number;
  /** Of a run whose length is a budget. */
  readonly spending?: Spending | undefined;
  /** Optimiser steps taken before this epoch; 0 when left out. */
  readonly step?: number;
  /** Class of every sample of the dataset; their number is n. */
  readonly labels: Readonly<Uint32Array>;
  readonly classCount: number;
  /** Ascending; every sample when left out. */
  readonly eligible?: Readonly<Uint32Array>;
  /** One that has seen nothing when left out. */
  readonly ledger?: LedgerView;
  /** What it wants of runs recorded earlier; none when left out. */
  readonly scores?: Readonly<Float32Array> | undefined;
  /** As `allocateMemory` makes it; none when left out. */
  readonly memory?: Readonly<Record<string, MemoryArray>>;
  /** The batching rule's size of the b-th batch, or one size for all. */
  readonly size: number | ((batch: number) => number);
}

export function orderContext<Options>(inputs: OrderInputs<Options>): OrderContext<Options> {
  const { options, seed, epoch, labels, classCount, size } = inputs;
  const n = labels.length;
  const sizeOf = typeof size === "number" ? () => size : size;
  return {
    options,
    n,
    classCount,
    eligible: inputs.eligible ?? consecutive(n),
    labels,
    ledger: inputs.ledger ?? emptyLedger(n),
    scores: inputs.scores,
    epoch,
    step: inputs.step ?? 0,
    progress: progressAt(inputs, { samples: 0, batches: 0, share: 0 }),
    random: (stream: OrderStream, at = epoch): Random => random(seed, stream, at),
    memory: inputs.memory ?? {},
    size(batch) {
      const k = sizeOf(batch);
      // A size of 0 would cut for ever.
      if (Number.isSafeInteger(k) && k >= 1) return k;
      throw new RangeError(`size of batch ${batch} is ${k}, expected an integer of at least 1`);
    },
  };
}

/** How much of an epoch is drawn. */
interface DrawnSoFar {
  readonly samples: number;
  readonly batches: number;
  /** Of the epoch's samples. */
  readonly share: number;
}

/** Progress of the run where so much of the epoch is drawn: of a budget, the share that is spent. */
function progressAt(
  { spending, epoch, epochs = epoch + 1 }: Pick<OrderInputs<unknown>, "spending" | "epoch" | "epochs">,
  { samples, batches, share }: DrawnSoFar,
): number {
  return spending ? progressAfter(spending, samples, batches) : (epoch + share) / epochs;
}

/** What of an epoch's context is another one for each batch. */
export interface BatchPlace {
  readonly batch: number;
  /** Optimiser steps taken before it. */
  readonly step: number;
  readonly count: number;
  readonly drawn: Drawn;
  /** Share of the epoch's samples that is drawn, in [0, 1). */
  readonly share: number;
  /** Of an order that has candidates scored. */
  readonly pool?: Pool | undefined;
}

/** The context of a batch; that of its epoch is `inputs`. */
export function batchContext<Options>(
  inputs: OrderInputs<Options>,
  { share, ...place }: BatchPlace,
): BatchContext<Options> {
  const samples = place.drawn.indices.length;
  return {
    ...orderContext(inputs),
    ...place,
    progress: progressAt(inputs, { samples, batches: place.batch, share }),
    random: (stream, at = place.step) => random(inputs.seed, `${stream}-each-batch`, at),
  };
}

/** Where the candidates of a batch are named. */
export interface PoolPlace {
  readonly batch: number;
  /** Optimiser steps taken before it. */
  readonly step: number;
  readonly count: number;
  /** Samples of the epoch's batches before it. */
  readonly first: number;
}

/**
 * Contexts in which the candidates of an epoch's batches are named; that of the epoch, which holds so many samples, is
 * `inputs`.
 */
export function poolContexts<Options>(
  inputs: OrderInputs<Options>,
  samples: number,
): (place: PoolPlace) => PoolContext<Options> {
  const { seed } = inputs;
  const { ledger: _ledger, memory: _memory, ...epoch } = orderContext(inputs);
  let shuffle: Uint32Array | undefined;
  return (place) => ({
    ...epoch,
    ...place,
    progress: progressAt(inputs, { samples: place.first, batches: place.batch, share: place.first / samples }),
    get shuffle() {
      shuffle ??= shuffled(epoch.eligible, random(seed, "order", epoch.epoch));
      return shuffle;
    },
    random: (stream, at = place.step) => random(seed, `${stream}-pool`, at),
  });
}

/** A ledger of n samples that has seen nothing, with these signals; its arrays are the caller's to fill. */
export function emptyLedger(n: number, signals: readonly ExtraSignal[] = []) {
  const unseen = () => new Float32Array(n).fill(Number.NaN);
  const extras: { [signal in ExtraSignal]?: Float32Array } = {};
  for (const signal of signals) extras[signal] = unseen();
  return {
    loss: unseen(),
    meanLoss: unseen(),
    seenAtStep: new Int32Array(n).fill(-1),
    correct: new Uint8Array(n).fill(255),
    draws: new Uint32Array(n),
    ...extras,
  } satisfies LedgerView;
}

const ARRAY_OF = {
  u8: Uint8Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
} as const;

/** The arrays an order declares, all zero. */
export function allocateMemory(declaration: MemoryDeclaration, n: number): Record<string, MemoryArray> {
  const memory: Record<string, MemoryArray> = {};
  for (const [name, { dtype, length }] of Object.entries(declaration)) {
    memory[name] = new ARRAY_OF[dtype](length(n));
  }
  return memory;
}
