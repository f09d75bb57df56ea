/** From what an arm's config names to what one epoch trains on. */
import { findBatching } from "../batching/index.js";
import { IbatchError } from "../errors.js";
import { type OrderInputs, orderContext } from "../orders/context.js";
import type { OrderContext, OrderDefinition, OrderResult } from "../orders/contract.js";
import { findOrder } from "../orders/index.js";
import { resultFaults } from "../orders/result-check.js";
import { learningRates } from "../schedules/index.js";
import type { ArmConfig } from "./config.js";
import type { Plan } from "./plan.js";

/** What an order may look at, beside what the config says. */
export type OrderSurroundings = Required<Omit<OrderInputs<unknown>, "options" | "size">>;

/** @throws IbatchError of kind `run` when the order throws, or breaks a law that holds of every order's result. */
export function makePlan(config: ArmConfig, seen: OrderSurroundings): Plan {
  const { order, batching, schedule, epochs } = config;
  const { epoch, eligible } = seen;
  const rule = findBatching(batching.name);
  const sizes = { options: batching.options, epoch, epochs, eligibleCount: eligible.length };
  const size = (batch: number) => rule.size(batch, sizes);
  const context = orderContext({ ...seen, options: order.options, size });
  const { indices, offsets, weights } = checkedOrder(findOrder(order.name), context);
  const rates = learningRates({ name: schedule.name, ...schedule.options }, epoch, epochs, offsets.length - 1);
  return { indices, offsets, weights, learningRates: rates };
}

function checkedOrder(definition: OrderDefinition, context: OrderContext<unknown>): OrderResult {
  const { n, eligible, epoch } = context;
  const where = `order ${definition.name} in epoch ${epoch}`;
  const result = ordered(definition, context, where);
  const [fault] = resultFaults(result, { n, eligible, coverage: definition.coverage });
  if (fault === undefined) return result;
  const { law, seen, expected } = fault;
  throw new IbatchError("run", `${where} breaks a law of orders (${law}): seen ${seen}, expected ${expected}`);
}

function ordered(definition: OrderDefinition, context: OrderContext<unknown>, where: string): OrderResult {
  try {
    return definition.order(context);
  } catch (error) {
    if (error instanceof IbatchError) throw error;
    throw new IbatchError("run", `${where} failed: ${error}`, { cause: error });
  }
}
