/** From what an arm's config names to what one epoch trains on. */
import { batchSizes, learningRateFactors } from "../batching/index.js";
import { IbatchError } from "../errors.js";
import { type OrderInputs, orderContext } from "../orders/context.js";
import type { LedgerView, OrderContext, OrderDefinition, OrderResult } from "../orders/contract.js";
import { type ResultBounds, resultFaults } from "../orders/result-check.js";
import type { OrderMonitors } from "../record/run-record.js";
import { learningRates } from "../schedules/index.js";
import type { ArmConfig } from "./config.js";
import { monitorOrder } from "./monitors.js";
import { permutedLedger } from "./placebo.js";
import type { Plan } from "./plan.js";
import { mapExtras } from "./sample-signals.js";

/** What an order may look at, beside what the config says; and the indices of the epoch before it. */
export interface OrderSurroundings extends Required<Omit<OrderInputs<unknown>, "options" | "size">> {
  readonly before: Readonly<Uint32Array> | undefined;
}

/** A plan, and what is watched of its order. */
export interface Planned {
  readonly plan: Plan;
  readonly monitors: OrderMonitors;
}

/**
 * An order from a user's file gets copies of what is ours: one that changes them in place harms itself alone.
 * @throws IbatchError of kind `run` when the order throws, or breaks a law that holds of every order's result.
 */
export function makePlan(config: ArmConfig, definition: OrderDefinition, seen: OrderSurroundings): Planned {
  const { order, batching, schedule, epochs } = config;
  const { seed, epoch, step, eligible, before } = seen;
  const ledger = order.ledger?.placebo ? permutedLedger(seen.ledger, eligible, seed, epoch) : seen.ledger;
  const size = batchSizes(batching, { epoch, epochs, eligibleCount: eligible.length });
  const shown = order.file === undefined ? { ...seen, ledger } : copied(seen, ledger);
  const context = orderContext({ ...shown, options: order.options, size });
  // Against our own indices, not those that an order from a file may have changed; a replay brings its sizes with it.
  const result = checkedOrder(definition, context, { eligible, ...(order.replay === undefined && { size }) });

  const { indices, offsets, weights } = result;
  const rates = learningRates({ name: schedule.name, ...schedule.options }, epoch, epochs, offsets.length - 1);
  const factors = learningRateFactors(batching, size, { epochs, eligibleCount: eligible.length }, rates.length);
  const looksAt = definition.readsLedger ? ledger : undefined;
  return {
    plan: { indices, offsets, weights, learningRates: rates.map((rate, batch) => rate * factors[batch]) },
    monitors: monitorOrder({
      result,
      n: context.n,
      eligible,
      ledger: looksAt,
      step,
      before,
      knowsProbabilities: order.replay === undefined,
    }),
  };
}

function copied(seen: OrderSurroundings, ledger: LedgerView): OrderSurroundings {
  const { loss, meanLoss, seenAtStep, correct, draws } = ledger;
  return {
    ...seen,
    labels: seen.labels.slice(),
    eligible: seen.eligible.slice(),
    ledger: {
      loss: loss.slice(),
      meanLoss: meanLoss.slice(),
      seenAtStep: seenAtStep.slice(),
      correct: correct.slice(),
      draws: draws.slice(),
      ...mapExtras(ledger, (values) => values.slice()),
    },
  };
}

/**
 * What an order makes of an epoch, held to the laws of every order's result within these bounds.
 * @throws IbatchError of kind `run` that names order, epoch and what was seen, whatever the order throws.
 */
export function checkedOrder(
  definition: OrderDefinition,
  context: OrderContext<unknown>,
  bounds: Pick<ResultBounds, "eligible" | "size">,
): OrderResult {
  const { n, epoch, options } = context;
  const where = `order ${definition.name} in epoch ${epoch}`;
  const { result, faults } = calling(where, () => {
    const result = definition.order(context);
    const coverage = definition.coverage(options);
    return { result, faults: resultFaults(result, { n, coverage, ...bounds }) };
  });
  const [fault] = faults;
  if (fault === undefined) return result;
  const { law, seen, expected } = fault;
  throw new IbatchError("run", `${where} breaks a law of orders (${law}): seen ${seen}, expected ${expected}`);
}

/** Runs what an order's author wrote: it may throw anything. */
export function calling<T>(where: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const what = String(error).replace(/^(Ibatch)?Error: /, "");
    throw new IbatchError("run", `${where} failed: ${what}`, { cause: error });
  }
}
