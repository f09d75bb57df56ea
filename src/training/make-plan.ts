/** From what an arm's config names to what one epoch trains on. */
import { commonBatchingOptions, learningRateFactors } from "../batching/index.js";
import { firstOfBatches, lastBatchShare } from "../batching/last-batch.js";
import type { ArmConfig } from "../config/config.js";
import { IbatchError, Interrupted } from "../errors.js";
import { batchesWithin } from "../kernels/spending.js";
import { type EpochInputs, type RunOrder, type Sizes, sizesOf } from "../order-files/run-order.js";
import type { Candidates } from "../orders/candidates.js";
import type { OrderResult } from "../orders/contract.js";
import { thrownText } from "../orders/declared.js";
import { sampleSize } from "../orders/fraction.js";
import type { Ordered } from "../orders/ordered.js";
import { type ResultBounds, type ResultFault, resultFaults } from "../orders/result-check.js";
import type { OrderMonitors } from "../record/epoch-metrics.js";
import { learningRates } from "../schedules/index.js";
import { monitorsOf, nothingWatched, watch } from "./monitors.js";
import { placeboOf } from "./placebo.js";
import type { Plan } from "./plan.js";
import type { Before, RunLength } from "./run-length.js";

/** What an order may look at, beside what the config says; and the indices of the epoch before it. */
export interface OrderSurroundings extends Omit<EpochInputs, "sizes" | "epochs"> {
  readonly before: Readonly<Uint32Array> | undefined;
  readonly run: RunSizes;
}

/** A plan, and what is watched of its order. */
export interface Planned {
  readonly plan: Plan;
  readonly monitors: OrderMonitors;
}

/** @throws IbatchError of kind `run` when the order throws, or breaks a law that holds of every order's result. */
export async function makePlan(config: ArmConfig, runOrder: RunOrder, seen: OrderSurroundings): Promise<Planned> {
  const { order } = config;
  const { before, run: sizes, ...known } = seen;
  const { seed, epoch, step, eligible, labels } = known;
  const ledger = placeboOf(order.ledger, seen.ledger, eligible, { seed, epoch })?.view ?? seen.ledger;
  const size = sizesOf(sizes, epoch);
  const bounds = { eligible, ...(!runOrder.ownSizes && { size }) };
  const ordered = await checkedOrder(runOrder, { ...known, epochs: sizes.epochs, ledger, sizes }, bounds);
  const rule = runOrder.ownSizes ? undefined : size;
  const { offsets, learningRates } = batchesIn(config, { epoch, sizes, offsets: ordered.offsets }, rule);
  const result = offsets.length < ordered.offsets.length ? firstOfBatches(ordered, offsets.length - 1) : ordered;
  const { indices, weights } = result;
  const watched = nothingWatched();
  const seenLedger = runOrder.readsLedger ? ledger : undefined;
  watch(watched, { result, eligibleCount: eligible.length, ledger: seenLedger, step });
  const knowsProbabilities = !runOrder.unknownProbabilities;
  return {
    plan: { indices, offsets, weights, learningRates },
    monitors: monitorsOf(watched, { indices, n: labels.length, before, knowsProbabilities }),
  };
}

export type RunSizes = Exclude<Sizes, number>;

/** How large the batches of an arm's epoch are before which so much was done. */
export const sizesIn = (
  { batching }: ArmConfig,
  { epochShare }: Pick<RunOrder, "epochShare">,
  {
    length,
    before,
    eligibleCount,
  }: { readonly length: RunLength; readonly before: Before; readonly eligibleCount: number },
): RunSizes => ({
  ...{ batching, epochs: length.epochs, samples: sampleSize(epochShare, eligibleCount) },
  spending: length.spending(before),
});

/** Where an epoch's batches end, and at which rates they are trained on. */
export interface Batches {
  /** Without a last one that is dropped, and none beyond the one that reaches the budget. */
  readonly offsets: Uint32Array;
  readonly learningRates: Float64Array;
}

/**
 * The batches of an epoch that end there. `size`: the batching rule's, by which the last one may be too short; undefined
 * where that says nothing of them.
 * @throws IbatchError of kind `run` where none is left.
 */
export function batchesIn(
  { batching, schedule }: ArmConfig,
  { epoch, sizes, offsets: all }: { readonly epoch: number; readonly sizes: RunSizes; readonly offsets: Uint32Array },
  size: ((batch: number) => number) | undefined,
): Batches {
  const { epochs, samples, spending } = sizes;
  const { lastBatch } = commonBatchingOptions
    .pick({ lastBatch: true })
    .parse({ lastBatch: batching.options.lastBatch });
  const lastShare = size === undefined ? 1 : lastBatchShare(all, size);
  const isDropped = lastBatch === "drop" && lastShare < 1;
  if (isDropped && all.length === 2) {
    const seen = `${all[1]} samples where ${size?.(0)} make a batch`;
    throw new IbatchError(
      "run",
      `epoch ${epoch + 1} has ${seen}, and batching.lastBatch: drop leaves none: lower the size`,
    );
  }
  const whole = isDropped ? all.subarray(0, -1) : all;
  const offsets = spending ? whole.subarray(0, batchesWithin(spending, whole) + 1) : whole;
  const rates = learningRates({ name: schedule.name, ...schedule.options }, { epoch, epochs, offsets, spending });
  const run = { epochs, samples, epoch, spending };
  const factors = learningRateFactors(batching, sizesOf(sizes, epoch), run, rates.length);
  if (lastBatch === "scale" && offsets.length === all.length) factors[factors.length - 1] *= lastShare;
  return { offsets, learningRates: rates.map((rate, batch) => rate * factors[batch]) };
}

/**
 * What an order makes of an epoch, held to the laws of every order's result within these bounds.
 * @throws IbatchError of kind `run` that names order, epoch and what was seen, whatever the order throws; Interrupted.
 */
export async function checkedOrder(
  order: RunOrder,
  inputs: EpochInputs,
  bounds: Pick<ResultBounds, "eligible" | "size">,
): Promise<OrderResult> {
  const { epoch, labels } = inputs;
  const { coverage } = order;
  const where = `order ${order.name} in epoch ${epoch + 1}`;
  const result = await lawful(where, () => order.order(inputs));
  const [fault] = await calling(where, async () => resultFaults(result, { n: labels.length, coverage, ...bounds }));
  if (fault !== undefined) throw brokenLaw(where, fault);
  return result;
}

/** What an order made. @throws IbatchError of kind `run`, whatever it throws, or where it breaks a law; Interrupted. */
export async function lawful(where: string, act: () => Promise<Ordered>): Promise<OrderResult> {
  const ordered = await calling(where, act);
  if ("fault" in ordered) throw brokenLaw(where, ordered.fault);
  return ordered.result;
}

/** What an order named, held to the laws of candidates. @throws as `lawful`. */
export async function lawfulCandidates(
  where: string,
  act: () => Promise<Candidates>,
  faultOf: (indices: Uint32Array) => ResultFault | undefined,
): Promise<Uint32Array> {
  const named = await calling(where, act);
  if ("fault" in named) throw brokenLaw(where, named.fault);
  const fault = faultOf(named.indices);
  if (fault !== undefined) throw brokenLaw(where, fault);
  return named.indices;
}

export const brokenLaw = (where: string, { law, seen, expected }: ResultFault): IbatchError =>
  new IbatchError("run", `${where} breaks a law of orders (${law}): seen ${seen}, expected ${expected}`);

/** Runs what an order's author wrote: it may throw anything. */
export async function calling<T>(where: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    throw new IbatchError("run", `${where} failed: ${thrownText(error)}`, { cause: error });
  }
}
