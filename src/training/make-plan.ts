/** From what an arm's config names to what one epoch trains on. */
import { commonBatchingOptions, learningRateFactors } from "../batching/index.js";
import { lastBatchShare, withoutLastBatch } from "../batching/last-batch.js";
import type { ArmConfig } from "../config/config.js";
import { IbatchError, Interrupted } from "../errors.js";
import { type EpochInputs, type RunOrder, sizesOf } from "../order-files/run-order.js";
import type { OrderResult } from "../orders/contract.js";
import { thrownText } from "../orders/declared.js";
import { sampleSize } from "../orders/fraction.js";
import { type ResultBounds, type ResultFault, resultFaults } from "../orders/result-check.js";
import type { OrderMonitors } from "../record/epoch-metrics.js";
import { learningRates } from "../schedules/index.js";
import { monitorOrder } from "./monitors.js";
import { permutedLedger } from "./placebo.js";
import type { Plan } from "./plan.js";

/** What an order may look at, beside what the config says; and the indices of the epoch before it. */
export interface OrderSurroundings extends Omit<EpochInputs, "sizes"> {
  readonly before: Readonly<Uint32Array> | undefined;
}

/** A plan, and what is watched of its order. */
export interface Planned {
  readonly plan: Plan;
  readonly monitors: OrderMonitors;
}

/** @throws IbatchError of kind `run` when the order throws, or breaks a law that holds of every order's result. */
export async function makePlan(config: ArmConfig, runOrder: RunOrder, seen: OrderSurroundings): Promise<Planned> {
  const { order, batching, schedule, epochs } = config;
  const { before, ...known } = seen;
  const { seed, epoch, step, eligible, labels } = known;
  const ledger = order.ledger?.placebo ? permutedLedger(seen.ledger, eligible, seed, epoch) : seen.ledger;
  const run = { epochs, samples: sampleSize(runOrder.epochShare, eligible.length) };
  const sizes = { batching, ...run };
  const size = sizesOf(sizes, epoch);
  const bounds = { eligible, ...(!runOrder.ownSizes && { size }) };
  const ordered = await checkedOrder(runOrder, { ...known, ledger, sizes }, bounds);
  const { lastBatch } = commonBatchingOptions
    .pick({ lastBatch: true })
    .parse({ lastBatch: batching.options.lastBatch });
  const lastShare = runOrder.ownSizes ? 1 : lastBatchShare(ordered.offsets, size);
  if (lastBatch === "drop" && lastShare < 1 && ordered.offsets.length === 2) {
    const seen = `${ordered.indices.length} samples where ${size(0)} make a batch`;
    throw new IbatchError(
      "run",
      `epoch ${epoch + 1} has ${seen}, and batching.lastBatch: drop leaves none: lower the size`,
    );
  }
  const result = lastBatch === "drop" && lastShare < 1 ? withoutLastBatch(ordered) : ordered;

  const { indices, offsets, weights } = result;
  const rates = learningRates({ name: schedule.name, ...schedule.options }, { epoch, epochs, offsets });
  const factors = learningRateFactors(batching, size, run, rates.length);
  if (lastBatch === "scale") factors[factors.length - 1] *= lastShare;
  return {
    plan: { indices, offsets, weights, learningRates: rates.map((rate, batch) => rate * factors[batch]) },
    monitors: monitorOrder({
      result,
      n: labels.length,
      eligible,
      ledger: runOrder.readsLedger ? ledger : undefined,
      step,
      before,
      knowsProbabilities: !runOrder.unknownProbabilities,
    }),
  };
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
  const ordered = await calling(where, () => order.order(inputs));
  if ("fault" in ordered) throw brokenLaw(where, ordered.fault);
  const { result } = ordered;
  const [fault] = await calling(where, async () => resultFaults(result, { n: labels.length, coverage, ...bounds }));
  if (fault !== undefined) throw brokenLaw(where, fault);
  return result;
}

const brokenLaw = (where: string, { law, seen, expected }: ResultFault): IbatchError =>
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
