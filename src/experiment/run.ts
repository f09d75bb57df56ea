/** One arm with one seed: order, plan, train, evaluate, record; epoch by epoch. */

import { allocateMemory } from "../orders/context.js";
import type { ExtraSignal, OrderDefinition } from "../orders/contract.js";
import { fromRecorded } from "../record/number.js";
import type { EpochMetrics, RunDocument, RunRecord } from "../record/run-record.js";
import { Clock, secondsSince, timed } from "./clock.js";
import type { ArmConfig, ExperimentConfig } from "./config.js";
import { cutAtDivergence, type Evaluated, hasDiverged } from "./divergence.js";
import { Ledger } from "./ledger.js";
import { isScoringDue } from "./ledger-options.js";
import { calling, makePlan, type Planned } from "./make-plan.js";
import { type Measured, Tally } from "./measured.js";
import type { Observer, RunPlace } from "./observer.js";
import type { Plan } from "./plan.js";
import { SignalHistory } from "./sample-signals.js";
import { Interrupted, Session, type WorkClient } from "./session.js";
import { type Split, splitDataset } from "./split.js";
import { type MadeIn, refuseOtherSurroundings, surroundingsOf } from "./surroundings.js";

export interface RunInputs {
  readonly client: WorkClient;
  readonly config: ArmConfig;
  /** The order that the config names. */
  readonly order: OrderDefinition;
  readonly evaluation: ExperimentConfig["evaluation"];
  readonly chunkBatches: number;
  readonly seed: number;
  /** Directory of the data files, on the backend's side; null: `data`. */
  readonly dataDir: string | null;
  readonly record: RunRecord;
  /** What `run.json` says of the run before it starts. */
  readonly document: RunDocument;
  /** The results beside which this one will stand. */
  readonly kept: readonly MadeIn[];
  readonly place: RunPlace;
  readonly observer: Observer;
  readonly signal: AbortSignal;
  /** A line for the experiment's log. */
  log(line: string): void;
}

/**
 * Trains one arm with one seed and records it.
 * Returns how it ended; `interrupted` and `failed` runs are recorded as such and their error is thrown.
 */
export async function runOne(inputs: RunInputs): Promise<RunDocument> {
  const { client, config, record, place } = inputs;
  const session = await Session.open(client, openRequest(inputs), inputs.signal);
  try {
    const run = new Run(inputs, session); // refuses what does not fit the data, before anything is written
    const surroundings = surroundingsOf(client, session, config.dataset);
    refuseOtherSurroundings(place.arm, surroundings, inputs.kept);
    const document = { ...inputs.document, surroundings };
    record.start(document);
    if (config.microBatch !== null)
      inputs.log(`${place.arm}, seed ${place.seed}: ${inParts(config.microBatch, session)}`);
    const ended = await trainAll(run, document).catch((error: unknown): never => {
      recordEnd(record, document, error);
      throw error;
    });
    record.write(ended);
    return ended;
  } finally {
    await session.close().catch((error: unknown) => {
      // The run has ended as it has; a backend that cannot go on says so to the next one.
      inputs.log(`${place.arm}, seed ${place.seed}: closing its session failed: ${error}`);
    });
  }
}

/** What micro-batches do to the gradient, for the log. */
function inParts(microBatch: number, { opened }: Session): string {
  const { batchNormLayers } = opened.settings;
  const how =
    batchNormLayers === 0
      ? "the gradient is that of whole batches but for rounding (the model has no BatchNorm)"
      : `the model takes batch statistics (BatchNorm layers: ${batchNormLayers}), which are then of each part alone: ` +
        "another gradient than that of whole batches";
  return `batches go through the model in parts of at most ${microBatch} samples; ${how}`;
}

/** As `interrupted` or `failed`; where even that cannot be written, `running` stays, and the run is done again. */
function recordEnd(record: RunRecord, document: RunDocument, error: unknown): void {
  const state = error instanceof Interrupted ? "interrupted" : "failed";
  try {
    record.write({ ...document, state, error: error instanceof Error ? error.message : String(error) });
  } catch {
    // the first error is the one to tell
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
  /** What the order reads beside loss and correct. */
  readonly #extras: readonly ExtraSignal[];
  #step = 0;
  #samples = 0;
  /** The indices of the epoch before. */
  #before: Uint32Array | undefined;
  /** The next epoch's plan, where it was made while the backend evaluated. */
  #next: (() => TimedPlan) | undefined;

  constructor(inputs: RunInputs, session: Session) {
    const { config, order, evaluation } = inputs;
    const { labels, opened } = session;
    this.#inputs = inputs;
    this.#session = session;
    this.epochs = config.epochs;
    this.#split = splitDataset(labels, opened.classNames.length, {
      ...config.dataset,
      trainSample: evaluation.trainSample,
    });
    this.#test = Uint32Array.from({ length: session.testCount }, (_, index) => index);
    this.#extras = order.signals?.(config.order.options) ?? [];
    const { signal: source = "training", meanDecay = 0 } = config.order.ledger ?? {};
    this.#ledger = new Ledger(labels.length, { source, meanDecay, extras: this.#extras });
    this.#memory = calling(`the memory of order ${order.name}`, () =>
      allocateMemory(order.memory ?? {}, labels.length),
    );
  }

  /** Returns the step at which the run diverged, if it did. */
  async epoch(epoch: number): Promise<number | undefined> {
    const { record, observer, place } = this.#inputs;
    const clock = new Clock();
    const firstStep = this.#step;
    const { result: scored, seconds: scoringWall } = await timed(() => this.#scoreIfDue(epoch));
    if (scored.hasDiverged) return firstStep;
    const { plan, monitors, seconds: orderingSeconds } = this.#next?.() ?? this.#makePlan(epoch);
    const hashes = record.writePlan(epoch, plan);

    const { result: trained, seconds: trainingWall } = await timed(() => this.#train(epoch, plan));
    for (const [signal, values] of trained.history.columns) record.writeSignal(signal, epoch, values);
    if (trained.divergedAtStep !== undefined) return trained.divergedAtStep;

    const evaluating = timed(() => this.#evaluate(epoch));
    this.#before = plan.indices.slice(); // the order may keep its array, and fill it anew
    const waitsForScores = isScoringDue(this.#inputs.config.order.ledger, epoch + 1);
    const planning = performance.now();
    this.#next = epoch + 1 < this.epochs && !waitsForScores ? attempt(() => this.#makePlan(epoch + 1)) : undefined;
    const nextPlanSeconds = secondsSince(planning);
    const { result: evaluated, seconds: evaluatingWall } = await evaluating;

    const metrics: EpochMetrics = {
      epoch,
      step: this.#step,
      batches: plan.learningRates.length,
      samples: plan.indices.length,
      scored: scored.count,
      batchSize: batchSizeRange(plan.offsets),
      learningRate: { first: plan.learningRates[0], last: plan.learningRates[plan.learningRates.length - 1] },
      train: trained.measured,
      ...evaluated,
      order: monitors,
      ...hashes,
    };
    record.appendMetrics(metrics);
    const spent = this.#session.takeSeconds();
    // What making the next plan took beyond the evaluation: nothing was under way then.
    const outlasted = Math.max(0, nextPlanSeconds - spent.evaluating);
    const underWay = scoringWall + trainingWall + Math.max(0, evaluatingWall - outlasted);
    record.appendTimings(clock.timings(epoch, orderingSeconds, spent, underWay));
    observer.epochEnded?.(place, metrics);
    return hasDiverged(evaluated) ? this.#step : undefined;
  }

  /** A scoring pass over the eligible samples, where this epoch's order waits for one. */
  async #scoreIfDue(epoch: number): Promise<{ count: number; hasDiverged: boolean }> {
    const { config, evaluation, record } = this.#inputs;
    if (!isScoringDue(config.order.ledger, epoch)) return { count: 0, hasDiverged: false };
    const { eligible } = this.#split;
    const signals = await this.#session.score(eligible, evaluation.batchSize, this.#extras);
    this.#ledger.recordScores(eligible, this.#step, signals);
    const history = new SignalHistory(this.#session.labels.length, this.#extras);
    history.record(eligible, signals);
    for (const [signal, values] of history.columns) record.writeSignal(`scored-${signal}`, epoch, values);
    return { count: eligible.length, hasDiverged: signals.loss.some((loss) => !Number.isFinite(loss)) };
  }

  #makePlan(epoch: number): TimedPlan {
    const start = performance.now();
    const { config, order, seed } = this.#inputs;
    const { labels, opened } = this.#session;
    const planned = makePlan(config, order, {
      seed,
      epoch,
      step: this.#step,
      labels,
      classCount: opened.classNames.length,
      eligible: this.#split.eligible,
      ledger: this.#ledger.view,
      memory: this.#memory,
      before: this.#before,
    });
    return { ...planned, seconds: secondsSince(start) };
  }

  async #train(epoch: number, plan: Plan): Promise<TrainedEpoch> {
    const { chunkBatches, config, observer, place } = this.#inputs;
    const extras = config.order.ledger?.signal === "rescore" ? [] : this.#extras;
    const history = new SignalHistory(this.#session.labels.length, extras);
    const tally = new Tally();
    const options = { chunkBatches, microBatch: config.microBatch, extras };
    for await (const answer of this.#session.train(plan, this.#step, options)) {
      const { trained, divergedAtStep } = cutAtDivergence(answer);
      const { chunk, signals } = trained;
      this.#ledger.recordTraining({ ...chunk, signals });
      history.record(chunk.indices, signals);
      tally.add(signals.loss, signals.correct);
      if (divergedAtStep !== undefined) {
        this.#session.cancel(); // the chunk behind this one trains for nothing
        return { measured: tally.measured, history, divergedAtStep };
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
    return { measured: tally.measured, history };
  }

  async #evaluate(epoch: number): Promise<Evaluated> {
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

/** Does it now, and gives or throws later: an order that fails costs no line of the epoch before it. */
function attempt<T>(act: () => T): () => T {
  try {
    const result = act();
    return () => result;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

interface TimedPlan extends Planned {
  readonly seconds: number;
}

interface TrainedEpoch {
  /** Over the training passes, each sample as its own step saw it. */
  readonly measured: Measured;
  readonly history: SignalHistory;
  readonly divergedAtStep?: number;
}

function batchSizeRange(offsets: Readonly<Uint32Array>): EpochMetrics["batchSize"] {
  let smallest = Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let batch = 0; batch + 1 < offsets.length; batch++) {
    const size = offsets[batch + 1] - offsets[batch];
    smallest = Math.min(smallest, size);
    largest = Math.max(largest, size);
  }
  return { smallest, largest };
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
