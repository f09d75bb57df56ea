/** Whole trainings, driven from TypeScript and in plain PyTorch with the same orders: are they equivalent in accuracy? */
import { z } from "zod";
import type { ExperimentConfig } from "../config/config.js";
import type { ConfigSource } from "../config/config-source.js";
import type { OrderSources } from "../config/order-sources.js";
import { runSeeds } from "../config/run-seeds.js";
import { IbatchError, usageError } from "../errors.js";
import type { Workplace } from "../experiment/experiment-inputs.js";
import { audienceOf, type Observer } from "../experiment/observer.js";
import { tuneAndRun } from "../experiment/tuning/tune-and-run.js";
import { consecutive } from "../kernels/consecutive.js";
import { BufferedLog } from "../launch/buffered-log.js";
import { openRecord } from "../launch/launch.js";
import type { Check } from "../record/validation-record.js";
import { type ModelOptions, modelOf } from "./compare-models.js";
import { anything, evaluate, type LoopOptions, object, openLoop, type PlainPyTorch, shapeOf } from "./plain-pytorch.js";

/** Runs of one arm that came to their end, and what they reached. */
export interface Trainings {
  readonly margin: number;
  readonly runs: readonly { readonly seed: number; readonly directory: string; readonly accuracy: number }[];
  readonly epochs: number;
  readonly testCount: number;
}

/** @throws IbatchError where the config does not say it, or says what plain PyTorch cannot be held against. */
export function marginOf(source: ConfigSource, config: ExperimentConfig, seed: number | undefined): number {
  const { primary, equivalenceMargin, seeds, record, evaluation } = config;
  const refusal = (path: string[], says: string) => usageError(`${source.where(path)}: --accuracy ${says}`);
  if (equivalenceMargin === null) {
    throw refusal(
      ["equivalenceMargin"],
      "needs `equivalenceMargin`, for instance 0.005: half a point of test accuracy",
    );
  }
  if (primary !== "accuracy") {
    throw refusal(
      ["equivalenceMargin"],
      `needs a margin in test accuracy, and this one is in test ${primary} (primary: ${primary}): give ` +
        "--set primary=accuracy --set equivalenceMargin=0.005, for instance",
    );
  }
  if (seeds.length < 2) throw refusal(["seeds"], `is a test over seeds and needs 2 at least, not ${seeds.length}`);
  if (record.orders !== "full") throw refusal(["record", "orders"], "trains with the recorded orders: take full");
  if (evaluation.batchNorm !== "running") {
    throw refusal(
      ["evaluation", "batchNorm"],
      `evaluates as plain PyTorch does: take running, not ${evaluation.batchNorm}`,
    );
  }
  if (seed !== undefined) throw usageError(`--seed ${seed}: --accuracy is over all seeds of the config; leave one out`);
  return equivalenceMargin;
}

interface TrainInputs {
  readonly experiment: ExperimentConfig;
  readonly orders: OrderSources;
  readonly arm: string;
  readonly workplace: Workplace;
  readonly observer: Observer;
  readonly margin: number;
}

/** Does what is missing of the arm's runs, in the experiment's directory. */
export async function trainAll(
  { experiment, orders, arm, workplace, observer, margin }: TrainInputs,
  {
    out,
    command,
    signal,
  }: { readonly out: string | undefined; readonly command: string; readonly signal: AbortSignal },
): Promise<Trainings> {
  const { epochs } = experiment.arms[arm];
  if (epochs === undefined)
    throw usageError(`--accuracy trains for whole epochs: name \`epochs\` for arm ${arm}, no budget`);
  const config = { ...experiment, arms: { [arm]: experiment.arms[arm] } };
  const record = openRecord(experiment, { out, command });
  const log = new BufferedLog((lines) => record.log(...lines));
  try {
    const audience = audienceOf(observer, log.add);
    const { results, stoppedBy } = await tuneAndRun({ config, orders, workplace, record, audience, signal });
    if (stoppedBy !== undefined) throw stoppedBy;
    const runs = results.map(({ seed, state, metrics }) => {
      const test = metrics.at(-1)?.test;
      if (state !== "done" || test === undefined) {
        throw new IbatchError("run", `arm ${arm}, seed ${seed} is ${state}: its accuracy cannot be compared`);
      }
      return { seed, directory: record.run(arm, seed).directory, accuracy: test.accuracy, testCount: test.count };
    });
    return {
      margin,
      runs,
      epochs,
      testCount: runs[0].testCount,
    };
  } finally {
    log.flush();
    record.close();
  }
}

const equivalence = z.looseObject({
  mean: z.number(),
  low: z.number(),
  high: z.number(),
  p: z.number(),
  equivalent: z.boolean(),
});

/** So many batches a question, each of which has its time limit. */
const BATCHES_A_QUESTION = 20;

/** Two one-sided t tests over seeds, of the reference's accuracies, or of our own model's in the plain loop, against ours. */
export async function accuracyCheck(
  plain: PlainPyTorch,
  runs: Trainings,
  options: ModelOptions & LoopOptions,
): Promise<Check> {
  const theirs: number[] = [];
  for (const run of runs.runs) theirs.push(await trainPlainly(plain, runs, run, options));
  const ours = runs.runs.map(({ accuracy }) => accuracy);
  const found = await plain.python.ask("equivalence", { ours, theirs, margin: runs.margin }, equivalence);
  const points = (share: number) => (100 * share).toFixed(2);
  const interval = `${points(found.low)} to ${points(found.high)}`;
  const tested =
    found.low === found.high
      ? "the same difference with every seed: no variance, so no test"
      : `p = ${found.p.toPrecision(2)}, the larger of two one-sided paired t tests`;
  return {
    name: `accuracy after ${runs.epochs} epochs, ${ours.length} seeds`,
    verdict: found.equivalent ? "pass" : "fail",
    measured: `${points(found.mean)} points (90 % interval ${interval})`,
    tolerance: `within ±${points(runs.margin)} points, p < 0.05`,
    detail: `here ${ours.map(points).join(", ")} %; plain PyTorch ${theirs.map(points).join(", ")} %; ${tested}`,
  };
}

/** Trains with the recorded orders of a run, from weights of its own seed; returns the accuracy on all test samples. */
async function trainPlainly(
  plain: PlainPyTorch,
  { epochs, testCount }: Trainings,
  { directory, seed }: Trainings["runs"][number],
  options: ModelOptions & LoopOptions,
): Promise<number> {
  const { python, scratch, config } = plain;
  const seeds = runSeeds(seed, config.fixedSeeds);
  const model = modelOf(plain, options);
  const built = await python.ask("build_model", { model, ...shapeOf(plain), seed: seeds.model }, object);
  // What a reference bears was tried by nobody.
  const memoryFormat = options.reference === undefined ? plain.driven.memoryFormat : "contiguous";
  const all = Array.from({ length: epochs }, (_, at) => at);
  const training = { model: built.object, directory, epochs: all, seed: seeds.noise, memoryFormat };
  const loop = await openLoop(plain, training, options);
  for (let step = 0; step < loop.steps; step += BATCHES_A_QUESTION) {
    const batches = Math.min(BATCHES_A_QUESTION, loop.steps - step);
    await python.ask("train", { batches, losses_path: scratch.path("whole.f32") }, anything, loop.object);
  }
  const { accuracy } = await evaluate(plain, training, consecutive(testCount));
  for (const done of [loop.object, built.object]) await python.ask("release", {}, anything, done);
  return accuracy;
}
