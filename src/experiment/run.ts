/** One arm with one seed: order, plan, train, evaluate, record; epoch by epoch. */

import { findBatching } from "../batching/index.js";
import { allocateMemory, orderContext } from "../orders/context.js";
import { findOrder } from "../orders/index.js";
import { fromRecorded } from "../record/number.js";
import type { EpochMetrics, EpochTimings, RunDocument, RunRecord } from "../record/run-record.js";
import { learningRates } from "../schedules/index.js";
import type { ArmConfig, ExperimentConfig } from "./config.js";
import { Ledger } from "./ledger.js";
import { type Measured, Tally } from "./measured.js";
import type { Observer, RunPlace } from "./observer.js";
import type { Plan } from "./plan.js";
import { Interrupted, Session, type WorkClient } from "./session.js";
import { type Split, splitDataset } from "./split.js";

export interface RunInputs {
  readonly client: WorkClient;
  readonly config: ArmConfig;
  readonly evaluation: ExperimentConfig["evaluation"];
  readonly chunkBatches: number;
  readonly seed: number;
  /** Directory of the data files, on the backend's side; null: `data`. */
  readonly dataDir: string | null;
  readonly record: RunRecord;
  /** What `run.json` says of the run before it starts. */
  readonly document: RunDocument;
  readonly place: RunPlace;
  readonly observer: Observer;
  readonly signal: AbortSignal;
}

/**
 * Trains one arm with one seed and records it.
 * Returns how it ended; `interrupted` and `failed` runs are recorded as such and their error is thrown.
 */
export async function runOne(inputs: RunInputs): Promise<RunDocument> {
  const session = await Session.open(inputs.client, openRequest(inputs), inputs.signal);
  try {
    const run = new Run(inputs, session); // refuses what does not fit the data, before anything is written
    const document = { ...inputs.document, surroundings: surroundings(inputs.client, session) };
    inputs.record.start(document);
    const ended = await trainAll(run, document).catch((error: unknown): never => {
      const state = error instanceof Interrupted ? "interrupted" : "failed";
      inputs.record.write({ ...document, state, error: error instanceof Error ? error.message : String(error) });
      throw error;
    });
    inputs.record.write(ended);
    return ended;
  } finally {
    await session.close();
  }
}

async function trainAll(run: Run, document: RunDocument): Promise<RunDocument> {
  for (let epoch = 0; epoch < run.epochs; epoch++) {
    const divergedAtStep = await run.epoch(epoch);
    if (divergedAtStep !== undefined) return { ...document, state: "diverged", divergedAtStep };
  }
  return { ...document, state: "done" };
}

/** The state of a run between two epochs, and what one epoch does. */
class Run {
  readonly epochs: number;
  readonly #inputs: RunInputs;
  readonly #session: Session;
  readonly #split: Split;
  readonly #test: Uint32Array;
  readonly #ledger: Ledger;
  readonly #memory: ReturnType<typeof allocateMemory>;
  #step = 0;
  #samples = 0;
  /** The next epoch's plan, where it was made while the backend evaluated. */
  #next: TimedPlan | undefined;

  constructor(inputs: RunInputs, session: Session) {
    const { config, evaluation } = inputs;
    const { labels, opened } = session;
    this.#inputs = inputs;
    this.#session = session;
    this.epochs = config.epochs;
    this.#split = splitDataset(labels, opened.classNames.length, {
      ...config.dataset,
      trainSample: evaluation.trainSample,
    });
    this.#test = Uint32Array.from({ length: session.testCount }, (_, index) => index);
    this.#ledger = new Ledger(labels.length);
    this.#memory = allocateMemory(findOrder(config.order.name).memory ?? {}, labels.length);
  }

  /** Returns the step at which the run diverged, if it did. */
  async epoch(epoch: number): Promise<number | undefined> {
    const { record, observer, place } = this.#inputs;
    const clock = new Clock();
    const firstStep = this.#step;
    const { plan, seconds: orderingSeconds } = this.#next ?? this.#makePlan(epoch);
    const hashes = record.writePlan(epoch, plan);

    const { result: trained, seconds: trainingWall } = await timed(() => this.#train(epoch, plan));
    record.writeSignal("loss", epoch, this.#ledger.lossesSince(firstStep));
    if (trained.divergedAtStep !== undefined) return trained.divergedAtStep;

    const evaluating = timed(() => this.#evaluate(epoch));
    evaluating.catch(() => {}); // awaited below, unless making the plan throws first
    this.#next = epoch + 1 < this.epochs ? this.#makePlan(epoch + 1) : undefined;
    const { result: evaluated, seconds: evaluatingWall } = await evaluating;

    const metrics: EpochMetrics = {
      epoch,
      step: this.#step,
      batches: plan.learningRates.length,
      samples: plan.indices.length,
      learningRate: { first: plan.learningRates[0], last: plan.learningRates[plan.learningRates.length - 1] },
      train: trained.measured,
      ...evaluated,
      ...hashes,
    };
    record.appendMetrics(metrics);
    const spent = this.#session.takeSeconds();
    record.appendTimings(clock.timings(epoch, orderingSeconds, spent, trainingWall + evaluatingWall));
    observer.epochEnded?.(place, metrics);
    return undefined;
  }

  #makePlan(epoch: number): TimedPlan {
    const start = performance.now();
    const { config, seed } = this.#inputs;
    const { order, batching, schedule, epochs } = config;
    const { eligible } = this.#split;
    const rule = findBatching(batching.name);
    const sizes = { options: batching.options, epoch, epochs, eligibleCount: eligible.length };
    const { indices, offsets, weights } = findOrder(order.name).order(
      orderContext({
        options: order.options,
        seed,
        epoch,
        step: this.#step,
        labels: this.#session.labels,
        classCount: this.#session.opened.classNames.length,
        eligible,
        ledger: this.#ledger.view,
        memory: this.#memory,
        size: (batch) => rule.size(batch, sizes),
      }),
    );
    const rates = learningRates({ name: schedule.name, ...schedule.options }, epoch, epochs, offsets.length - 1);
    return { plan: { indices, offsets, weights, learningRates: rates }, seconds: secondsSince(start) };
  }

  async #train(epoch: number, plan: Plan): Promise<{ measured: Measured; divergedAtStep?: number }> {
    const { chunkBatches, observer, place } = this.#inputs;
    const tally = new Tally();
    for await (const { chunk, loss, correct } of this.#session.train(plan, this.#step, chunkBatches)) {
      this.#ledger.record({ ...chunk, loss, correct });
      tally.add(loss, correct);
      const bad = loss.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0) {
        this.#session.cancel(); // the chunk behind this one trains for nothing
        return { measured: tally.measured, divergedAtStep: stepOf(chunk, bad) };
      }
      this.#samples += chunk.indices.length;
      observer.trained?.(place, {
        epoch,
        samples: this.#samples,
        share:
          (epoch + (chunk.firstStep + chunk.learningRates.length - this.#step) / plan.learningRates.length) /
          this.epochs,
        loss: fromRecorded(tally.measured.loss),
      });
    }
    this.#step += plan.learningRates.length;
    return { measured: tally.measured };
  }

  async #evaluate(epoch: number): Promise<Pick<EpochMetrics, "test" | "validation" | "trainSample">> {
    const { every, batchSize } = this.#inputs.evaluation;
    if ((epoch + 1) % every !== 0 && epoch + 1 < this.epochs) return {};
    const { trainSample, validation } = this.#split;
    const measure = (part: "train" | "test", indices: Uint32Array) =>
      indices.length === 0 ? undefined : this.#session.evaluate(part, indices, batchSize);
    const measured = await Promise.all([
      measure("train", trainSample),
      measure("train", validation),
      measure("test", this.#test),
    ]);
    const [onTrainSample, onValidation, onTest] = measured;
    return {
      ...(onTrainSample && { trainSample: onTrainSample }),
      ...(onValidation && { validation: onValidation }),
      ...(onTest && { test: onTest }),
    };
  }
}

interface TimedPlan {
  readonly plan: Plan;
  readonly seconds: number;
}

/** Step of the batch that holds the chunk's sample number `at`. */
function stepOf(chunk: { firstStep: number; offsets: Uint32Array }, at: number): number {
  return chunk.firstStep + chunk.offsets.findLastIndex((offset) => offset <= at);
}

const secondsSince = (start: number): number => (performance.now() - start) / 1000;

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number }> {
  const start = performance.now();
  const result = await work();
  return { result, seconds: secondsSince(start) };
}

/** Splits an epoch's wall time. */
class Clock {
  readonly #start = performance.now();

  timings(
    epoch: number,
    orderingSeconds: number,
    spent: { training: number; evaluating: number },
    underWaySeconds: number,
  ): EpochTimings {
    const totalSeconds = secondsSince(this.#start);
    return {
      epoch,
      orderingSeconds,
      trainingSeconds: spent.training,
      scoringSeconds: 0,
      evaluatingSeconds: spent.evaluating,
      wireSeconds: underWaySeconds - spent.training - spent.evaluating,
      waitingSeconds: totalSeconds - underWaySeconds,
      totalSeconds,
    };
  }
}

function openRequest({ config, seed, dataDir }: RunInputs) {
  const { name, options } = config.dataset;
  return {
    dataset: { name, options },
    dataDir,
    model: config.model,
    optimizer: config.optimizer,
    augmentation: config.augmentation,
    precision: config.precision,
    seed,
  };
}

/** What the run's bits depend on beside config and seed. */
function surroundings(client: WorkClient, session: Session): Record<string, unknown> {
  const { versions, platform, device, deviceName, threads } = client.introduction;
  const { dataSha256, initialWeightsSha256, parameterCount, settings } = session.opened;
  return {
    device,
    deviceName,
    threads,
    versions: { ...versions, node: process.versions.node },
    platform,
    dataSha256,
    initialWeightsSha256,
    parameterCount,
    settings,
  };
}
