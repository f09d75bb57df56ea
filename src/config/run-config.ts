/** What a config says of one arm's runs, from its sections to the loop by one name each. */
import type { Listening } from "../order-files/order-file.js";
import type { RunOrder } from "../order-files/run-order.js";
import type { ArmConfig, ExperimentConfig } from "./config.js";
import type { OrderSources } from "./order-sources.js";
import { runSeeds } from "./run-seeds.js";

/** All that a config says of a run, but for its seed: what determines its numbers, and how it is trained and recorded. */
export interface RunConfig
  extends ArmConfig,
    Pick<ExperimentConfig, "evaluation" | "record" | "checkpoint" | "backend" | "fixedSeeds"> {}

export function runConfig(config: ExperimentConfig, arm: string): RunConfig {
  const { arms, evaluation, record, checkpoint, backend, fixedSeeds } = config;
  return { ...arms[arm], evaluation, record, checkpoint, backend, ...(fixedSeeds && { fixedSeeds }) };
}

/** The order that it names, for a run with this seed. */
export const startOrder = (
  orders: OrderSources,
  { order, backend, fixedSeeds }: Pick<RunConfig, "order" | "backend" | "fixedSeeds">,
  seed: number,
  listening: Listening,
): RunOrder => {
  const { model: modelSeed } = runSeeds(seed, fixedSeeds);
  const limit = { seconds: backend.orderSeconds, setBy: "backend.orderSeconds" };
  return orders.start(order, seed, { ...listening, limit, modelSeed });
};
