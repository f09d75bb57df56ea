/** The first batches of a run, driven as a run drives them, and what the backend said of each. */

import { type IbatchError, usageError } from "../errors.js";
import type { ArmConfig, ExperimentConfig } from "../experiment/config.js";
import { refuseTooSmall } from "../experiment/least-batch.js";
import { Ledger } from "../experiment/ledger.js";
import { isScoringDue } from "../experiment/ledger-options.js";
import { makePlan } from "../experiment/make-plan.js";
import { openRequest } from "../experiment/open-request.js";
import type { Plan } from "../experiment/plan.js";
import type { RunOrder } from "../experiment/run-order.js";
import { Session, type Weights, type WorkClient } from "../experiment/session.js";
import { splitDataset } from "../experiment/split.js";
import { consecutive } from "../kernels/consecutive.js";
import type { RunRecord } from "../record/run-record.js";

export interface DriveInputs {
  readonly client: WorkClient;
  readonly config: ArmConfig;
  readonly order: RunOrder;
  readonly evaluation: ExperimentConfig["evaluation"];
  readonly seed: number;
  readonly batches: number;
  readonly dataDir: string | null;
  /** Whether what may give other bits from run to run is refused. */
  readonly equalBits: boolean;
  /** Where the plans go, as those of a run. */
  readonly record: RunRecord;
  readonly signal: AbortSignal;
  /** A line for a person. */
  note(line: string): void;
}

/** The hashes of an epoch's plan, as one of those saw it who had to do with it. */
export interface EpochHashes {
  readonly epoch: number;
  readonly orderSha256: string;
  readonly planSha256: string;
}

export interface Driven {
  readonly inputShape: readonly number[];
  /** That the backend computes the model in. */
  readonly memoryFormat: string;
  readonly classCount: number;
  readonly epochs: readonly EpochHashes[];
  /** Samples of each batch. */
  readonly batchSizes: readonly number[];
  /** Each sample's, in the order of training. */
  readonly losses: Float32Array;
  /** Before the first step, and after each of `stops`. */
  readonly weights: readonly Weights[];
  /** Test samples that were looked at in the end, and their losses. */
  readonly testIndices: Uint32Array;
  readonly testLosses: Float32Array;
}

const TEST_SAMPLES = 500;

/** Steps after which weights are compared: one, two (from where on momentum matters), all. */
export const stopsOf = (batches: number): readonly number[] =>
  [...new Set([1, 2, batches])].filter((stop) => stop <= batches);

/** @throws IbatchError; Interrupted. */
export async function drive(inputs: DriveInputs): Promise<Driven> {
  try {
    const session = await Session.open(inputs.client, openRequest(inputs), inputs.signal, inputs.note);
    try {
      return await driven(inputs, session);
    } finally {
      await session.close();
    }
  } finally {
    await inputs.order.stop();
  }
}

async function driven(inputs: DriveInputs, session: Session): Promise<Driven> {
  const { config, order, evaluation, seed, batches, record } = inputs;
  const { labels, opened } = session;
  const classCount = opened.classNames.length;
  const { eligible } = splitDataset(labels, classCount, { ...config.dataset, trainSample: evaluation.trainSample });
  const extras = order.signals;
  const { signal: source = "training", meanDecay = 0 } = config.order.ledger ?? {};
  const ledger = new Ledger(labels.length, { source, meanDecay, extras });
  const memory = await order.allocateMemory(labels.length);
  const stops = stopsOf(batches);
  const weights = [await session.weights()];
  const epochs: EpochHashes[] = [];
  const losses: Float32Array[] = [];
  const batchSizes: number[] = [];
  let step = 0;
  let before: Uint32Array | undefined;
  for (let epoch = 0; step < batches; epoch++) {
    if (epoch === config.epochs) throw tooMany(batches, step, epoch);
    if (isScoringDue(config.order.ledger, epoch)) {
      ledger.recordScores(eligible, step, await session.score(eligible, evaluation.batchSize, extras));
    }
    const seen = { seed, epoch, step, labels, classCount, eligible, ledger: ledger.view, memory, before };
    const plan = slice((await makePlan(config, order, seen)).plan, 0, batches - step);
    const { leastBatchSize } = opened;
    refuseTooSmall(plan, { leastBatchSize, microBatch: config.microBatch }, `order ${order.name} in epoch ${epoch}`);
    epochs.push({ epoch, ...record.writePlan(epoch, plan) });
    const firstStep = step;
    const end = firstStep + plan.learningRates.length;
    while (step < end) {
      const until = Math.min(end, stops.find((stop) => stop > step) ?? end);
      const part = slice(plan, step - firstStep, until - firstStep);
      const options = { chunkBatches: part.learningRates.length, microBatch: config.microBatch, extras };
      for await (const { chunk, signals } of session.train(part, step, options)) {
        ledger.recordTraining({ ...chunk, signals });
        losses.push(signals.loss);
      }
      step = until;
      if (stops.includes(step)) weights.push(await session.weights());
    }
    for (let batch = 0; batch + 1 < plan.offsets.length; batch++) {
      batchSizes.push(plan.offsets[batch + 1] - plan.offsets[batch]);
    }
    before = plan.indices;
  }
  const testIndices = consecutive(Math.min(TEST_SAMPLES, opened.testCount));
  const { batchSize } = evaluation;
  const looked = await session.evaluate({ part: "test", indices: testIndices, batchSize, norm: "running" });
  return {
    inputShape: opened.inputShape,
    memoryFormat: opened.settings.memoryFormat,
    classCount,
    epochs,
    batchSizes,
    losses: concatenated(losses),
    weights,
    testIndices,
    testLosses: looked.loss,
  };
}

const tooMany = (asked: number, there: number, epochs: number): IbatchError =>
  usageError(`--batches ${asked}: the run ends after ${there} (epochs: ${epochs}); take ${there} at most`);

/** Batches first … last-1 of a plan, all of them where it has fewer. */
function slice(plan: Plan, first: number, last: number): Plan {
  const end = Math.min(last, plan.learningRates.length);
  const [from, to] = [plan.offsets[first], plan.offsets[end]];
  return {
    indices: plan.indices.slice(from, to),
    offsets: plan.offsets.slice(first, end + 1).map((offset) => offset - from),
    learningRates: plan.learningRates.slice(first, end),
    weights: plan.weights?.slice(from, to),
  };
}

function concatenated(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
