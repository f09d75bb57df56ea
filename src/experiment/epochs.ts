/** The epochs of a run, one after another: score, order, plan, train, evaluate, record. */

import { BackendError, BackendLost } from "../backend/errors.js";
import { IbatchError, Interrupted } from "../errors.js";
import type { ExtraSignal, MemoryArray } from "../orders/contract.js";
import type { BatchNormMetrics, EpochMetrics } from "../record/epoch-metrics.js";
import { fromRecorded } from "../record/number.js";
import type { RunRecord } from "../record/run-record.js";
import { Clock, secondsSince, timed } from "./clock.js";
import type { ArmConfig, ExperimentConfig } from "./config.js";
import { cutAtDivergence, type Evaluated, hasDiverged } from "./divergence.js";
import { Evaluator } from "./evaluator.js";
import { HardSamples } from "./hard-samples.js";
import { refuseTooSmall } from "./least-batch.js";
import { Ledger } from "./ledger.js";
import { isScoringDue } from "./ledger-options.js";
import { calling, makePlan, type Planned } from "./make-plan.js";
import { type Measured, Tally } from "./measured.js";
import type { Observer, RunPlace } from "./observer.js";
import type { Plan } from "./plan.js";
import type { RunOrder } from "./run-order.js";
import { SignalHistory } from "./sample-signals.js";
import type { Session } from "./session.js";
import { type Split, splitDataset } from "./split.js";

export interface EpochsInputs {
  readonly config: ArmConfig;
  /** The order that the config names. */
  readonly order: RunOrder;
  readonly evaluation: ExperimentConfig["evaluation"];
  readonly chunkBatches: number;
  /** Images to record of each class's hardest training samples, and of its most misjudged. */
  readonly imagesPerClass: number;
  readonly seed: number;
  readonly record: RunRecord;
  readonly place: RunPlace;
  readonly observer: Observer;
  /** A line for the experiment's log. */
  log(line: string): void;
}

/** The state of a run between two epochs, and what one epoch does. */
export class Epochs {
  readonly #inputs: EpochsInputs;
  readonly #session: Session;
  readonly #split: Split;
  readonly #evaluator: Evaluator;
  readonly #ledger: Ledger;
  readonly #hardSamples: HardSamples;
  #memory: Readonly<Record<string, MemoryArray>> | undefined;
  /** What the order reads beside loss and correct. */
  readonly #extras: readonly ExtraSignal[];
  #step = 0;
  #samples = 0;
  /** The indices of the epoch before. */
  #before: Uint32Array | undefined;
  /** The next epoch's plan, where it is made while the backend evaluates. */
  #next: Promise<TimedPlan> | undefined;

  /** @throws IbatchError where the config does not fit the data. */
  constructor(inputs: EpochsInputs, session: Session) {
    const { config, order, evaluation } = inputs;
    const { labels, opened } = session;
    this.#inputs = inputs;
    this.#session = session;
    this.#split = splitDataset(labels, opened.classNames.length, {
      ...config.dataset,
      trainSample: evaluation.trainSample,
    });
    this.#evaluator = new Evaluator(session, this.#split, evaluation);
    this.#hardSamples = new HardSamples(labels);
    this.#extras = order.signals;
    const { signal: source = "training", meanDecay = 0 } = config.order.ledger ?? {};
    this.#ledger = new Ledger(labels.length, { source, meanDecay, extras: this.#extras });
  }

  /** @throws IbatchError where the first epoch's plan cannot be made, or trained on. */
  async tryFirstPlan(): Promise<void> {
    const { config, order } = this.#inputs;
    try {
      if (!isScoringDue(config.order.ledger, 0)) await this.#makePlan(0);
    } finally {
      await order.stop();
    }
  }

  /** Returns the step at which the run diverged, if it did. Its order is at an end then. */
  async run(): Promise<number | undefined> {
    const { order } = this.#inputs;
    try {
      const divergedAtStep = await this.#trainAll();
      await order.end();
      return divergedAtStep;
    } finally {
      await order.stop();
    }
  }

  async #trainAll(): Promise<number | undefined> {
    for (let epoch = 0; epoch < this.#inputs.config.epochs; epoch++) {
      const divergedAtStep = await this.#epoch(epoch).catch((error: unknown) => {
        throw failedIn(epoch, error);
      });
      if (divergedAtStep !== undefined) return divergedAtStep;
    }
    await this.#recordImages();
    return undefined;
  }

  /** Returns the step at which the run diverged, if it did. */
  async #epoch(epoch: number): Promise<number | undefined> {
    const { record, observer, place } = this.#inputs;
    const clock = new Clock();
    const firstStep = this.#step;
    const { result: scored, seconds: scoringWall } = await timed(() => this.#scoreIfDue(epoch));
    if (scored.hasDiverged) return firstStep;
    const { plan, monitors, seconds: orderingSeconds } = await (this.#next ?? this.#makePlan(epoch));
    const hashes = record.writePlan(epoch, plan);

    const { result: trained, seconds: trainingWall } = await timed(() => this.#train(epoch, plan));
    for (const [signal, values] of trained.history.columns) record.writeSignal(signal, epoch, values);
    record.writePredictions(epoch, trained.history.predictions);
    if (trained.divergedAtStep !== undefined) return trained.divergedAtStep;
    this.#hardSamples.record(trained.history);

    const evaluating = timed(() => this.#evaluate(epoch, plan));
    this.#before = plan.indices;
    const planning = this.#canPlanEarly(epoch + 1) ? new Planning(this.#makePlan(epoch + 1)) : undefined;
    this.#next = planning?.plan;
    const { result: evaluated, seconds: evaluatingWall } = await evaluating;
    const nextOrdering = planning?.seconds ?? 0;

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
    const seconds = {
      ordering: orderingSeconds,
      spent: this.#session.takeSeconds(),
      underWay: { scoring: scoringWall, training: trainingWall, evaluating: evaluatingWall },
      nextOrdering,
    };
    record.appendTimings(clock.timings(epoch, seconds));
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

  /** Whether an epoch's plan can be made before the epoch. */
  #canPlanEarly(epoch: number): boolean {
    const { epochs, order } = this.#inputs.config;
    return epoch < epochs && !isScoringDue(order.ledger, epoch);
  }

  async #makePlan(epoch: number): Promise<TimedPlan> {
    const start = performance.now();
    const { config, order, seed } = this.#inputs;
    const { labels, opened } = this.#session;
    this.#memory ??= await calling(`the memory of order ${order.name}`, () => order.allocateMemory(labels.length));
    const planned = await makePlan(config, order, {
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
    const { leastBatchSize } = opened;
    const where = `order ${order.name} in epoch ${epoch}`;
    refuseTooSmall(planned.plan, { leastBatchSize, microBatch: config.microBatch }, where);
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
          config.epochs,
        loss: fromRecorded(tally.measured.loss),
      });
    }
    this.#step += plan.learningRates.length;
    return { measured: tally.measured, history };
  }

  async #evaluate(epoch: number, plan: Plan): Promise<Evaluated & { batchNorm?: BatchNormMetrics }> {
    const { epochs } = this.#inputs.config;
    if (!this.#evaluator.isDue(epoch, epochs)) return {};
    const { evaluated, testPredictions } = await this.#evaluator.look();
    if (testPredictions !== undefined) this.#inputs.record.writeTestPredictions(testPredictions);
    const batchNorm = epoch + 1 === epochs ? await this.#evaluator.compareStatistics(plan) : undefined;
    return { ...evaluated, ...(batchNorm && { batchNorm }) };
  }

  /** Pictures for the report; a run is not lost for want of them. */
  async #recordImages(): Promise<void> {
    const { imagesPerClass, record, place, log } = this.#inputs;
    const { classNames, inputShape } = this.#session.opened;
    const indices = this.#hardSamples.choose(classNames.length, imagesPerClass);
    if (indices.length === 0) return;
    const [channels, height, width] = inputShape;
    try {
      const pixels = await this.#session.images("train", indices);
      record.writeImages({ indices, shape: [height, width, channels], pixels });
    } catch (error) {
      if (!(error instanceof BackendError) || error instanceof BackendLost) throw error;
      log(`${place.arm}, seed ${place.seed}: no images for the report: ${error.message}`);
    }
  }
}

/** What goes wrong in an epoch is the run's failure, whoever's fault; what the backend says does not name the epoch. */
function failedIn(epoch: number, error: unknown): unknown {
  if (!(error instanceof IbatchError) || error instanceof Interrupted || error instanceof BackendLost) return error;
  const { kind, message } = error;
  if (kind !== "usage" && kind !== "run") return error;
  return new IbatchError("run", error instanceof BackendError ? `in epoch ${epoch}: ${message}` : message, {
    cause: error,
  });
}

interface TimedPlan extends Planned {
  readonly seconds: number;
}

/** A plan that is being made. */
class Planning {
  /** Seconds that it took; 0 until it is made. */
  seconds = 0;

  constructor(readonly plan: Promise<TimedPlan>) {
    plan.then(
      (made) => {
        this.seconds = made.seconds;
      },
      () => {}, // thrown where the plan is taken: an order that fails costs no line of the epoch before it
    );
  }
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
