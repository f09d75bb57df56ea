/** The first batches of a run, trained by the loop that trains all runs, and what the backend said of each. */

import type { RunConfig } from "../config/run-config.js";
import { IbatchError, usageError } from "../errors.js";
import { concatenated } from "../kernels/concatenated.js";
import { consecutive } from "../kernels/consecutive.js";
import type { RunOrder } from "../order-files/run-order.js";
import type { PlanHashes, RunRecord } from "../record/run-record.js";
import { openRequest } from "../training/open-request.js";
import { recordIn } from "../training/recording.js";
import { type Listener, tellAll } from "../training/run-event.js";
import { Session, type Weights, type WorkClient } from "../training/session.js";
import type { Boundary } from "../training/train-chunks.js";
import { trainRun } from "../training/train-run.js";
import { firstState, prepareTraining } from "../training/training.js";

export interface DriveInputs {
  readonly client: WorkClient;
  readonly config: RunConfig;
  readonly order: RunOrder;
  readonly seed: number;
  readonly batches: number;
  readonly dataDir: string | null;
  /** Where the plans go, as those of a run. */
  readonly record: RunRecord;
  readonly signal: AbortSignal;
  /** A line for a person. */
  note(line: string): void;
}

/** The hashes of an epoch's plan, as one of those saw it who had to do with it. */
export interface EpochHashes extends PlanHashes {
  readonly epoch: number;
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
  const { config, seed, order, batches, record } = inputs;
  const collected = new Collected();
  const weights = new WeightsAtStops(session, stopsOf(batches));
  const training = await prepareTraining(
    {
      ...{ config: { ...config, record: { ...config.record, images: 0 } }, seed, order },
      mostBatches: batches,
      boundary: weights,
      listen: tellAll(recordIn(record), collected.listen),
    },
    session,
  );
  const state = firstState(training);
  const { divergedAtStep } = await trainRun(state, training);
  if (divergedAtStep !== undefined) throw diverged(divergedAtStep);
  if (state.step < batches) throw tooMany(batches, state.step, state.epoch);
  const { opened } = session;
  const testIndices = consecutive(Math.min(TEST_SAMPLES, opened.testCount));
  const { batchSize } = config.evaluation;
  const looked = await session.evaluate({ part: "test", indices: testIndices, batchSize, norm: "running" });
  return {
    inputShape: opened.inputShape,
    memoryFormat: opened.settings.memoryFormat,
    classCount: opened.classNames.length,
    epochs: collected.epochs,
    batchSizes: collected.batchSizes,
    losses: concatenated<Float32Array>(Float32Array, collected.losses),
    weights: weights.taken,
    testIndices,
    testLosses: looked.loss,
  };
}

/** What the loop in Python is held against. */
class Collected {
  readonly epochs: EpochHashes[] = [];
  readonly batchSizes: number[] = [];
  readonly losses: Float32Array[] = [];

  readonly listen: Listener = (event) => {
    if (event.type === "planned") this.epochs.push({ epoch: event.epoch, ...event.hashes });
    if (event.type !== "trained") return;
    const { chunk, signals } = event.trained;
    this.losses.push(signals.loss);
    for (let batch = 0; batch + 1 < chunk.offsets.length; batch++) {
      this.batchSizes.push(chunk.offsets[batch + 1] - chunk.offsets[batch]);
    }
  };
}

/** The weights before the first step and after each of some. */
class WeightsAtStops implements Boundary {
  readonly taken: Weights[] = [];
  readonly #session: Session;
  /** Steps that weights are still to be taken at. */
  readonly #stops: number[];

  constructor(session: Session, stops: readonly number[]) {
    this.#session = session;
    this.#stops = [0, ...stops];
  }

  batchesUntilNext(step: number): number {
    return (this.#stops[0] ?? Number.POSITIVE_INFINITY) - step;
  }

  ask(step: number): Promise<() => void> | undefined {
    if (step !== this.#stops[0]) return undefined;
    this.#stops.shift();
    return this.#session.weights().then((weights) => () => this.taken.push(weights));
  }
}

const diverged = (step: number): IbatchError =>
  new IbatchError("run", `the run diverged at step ${step}, and there is nothing to compare: lower the learning rate`);

const tooMany = (asked: number, there: number, epochs: number): IbatchError =>
  usageError(`--batches ${asked}: the run ends after ${there} (epochs: ${epochs}); take ${there} at most`);
