/** Order and loop parity: the loop in Python trains on the recorded plan, and what it did is held against the backend. */
import { z } from "zod";
import { runSeeds } from "../config/run-seeds.js";
import type { Check } from "../record/validation-record.js";
import { stopsOf } from "./drive.js";
import { evaluationCheck, lossesCheck, type Tolerance, weightsCheck } from "./loop-parity.js";
import { orderParity } from "./order-parity.js";
import { anything, evaluate, type LoopOptions, makeModel, openLoop, type PlainPyTorch } from "./plain-pytorch.js";

const hashes = z.strictObject({
  epochs: z.array(
    z
      .strictObject({ epoch: z.int(), order_sha256: z.string(), plan_sha256: z.string() })
      .transform(({ epoch, order_sha256, plan_sha256 }) => ({
        epoch,
        orderSha256: order_sha256,
        planSha256: plan_sha256,
      })),
  ),
});

/** Trains the first `batches` of the plan that the backend was driven with. */
export async function compareLoop(
  plain: PlainPyTorch,
  { batches, ...options }: LoopOptions & { readonly batches: number },
  tolerance: Tolerance,
): Promise<Check[]> {
  const { driven, scratch, python, config } = plain;
  const { noise: seed } = runSeeds(plain.seed, config.fixedSeeds);
  const model = await makeModel(plain);
  const epochs = driven.epochs.map(({ epoch }) => epoch);
  const { memoryFormat } = driven;
  const loop = await openLoop(plain, { model, directory: scratch.path("run"), epochs, seed, memoryFormat }, options);
  const weights: Check[] = [];
  let step = 0;
  for (const [at, stop] of stopsOf(batches).entries()) {
    await python.ask("train", { batches: stop - step, losses_path: scratch.path("losses.f32") }, anything, loop.object);
    step = stop;
    await python.ask("save_weights", { path: scratch.path("weights.f32") }, anything, model);
    const name = stop === batches ? `weights after all ${stop} steps` : `weights after step ${stop}`;
    const theirs = scratch.readFloats("weights.f32");
    const initial = at === 0 ? driven.weights[0] : undefined;
    weights.push(weightsCheck({ name, ours: driven.weights[at + 1], theirs, initial }, tolerance));
  }
  const { losses } = await evaluate(plain, { model, memoryFormat }, driven.testIndices);
  const seen = await python.ask("seen", {}, hashes, loop.object);
  const trained = { ours: driven.losses, theirs: scratch.readFloats("losses.f32"), batchSizes: driven.batchSizes };
  return [
    ...orderParity(driven.epochs, seen.epochs, options.loop ?? "the textbook loop"),
    lossesCheck(trained, tolerance),
    ...weights,
    evaluationCheck(driven.testLosses, losses, tolerance),
  ];
}
