/** What a run is measured on after an epoch, and with which of BatchNorm's statistics. */
import type { Norm } from "../backend/messages.js";
import type { RunConfig } from "../config/run-config.js";
import { consecutive } from "../kernels/consecutive.js";
import { random, type Stream } from "../kernels/random.js";
import { shuffled } from "../kernels/shuffle.js";
import { stratifiedSample } from "../kernels/stratified.js";
import type { ExtraSignal } from "../orders/contract.js";
import type { BatchNormMetrics, EvaluatedParts, Measured } from "../record/epoch-metrics.js";
import { compareStatistics } from "./batch-norm.js";
import { toMeasured } from "./measured.js";
import type { Plan } from "./plan.js";
import type { SampleSignals } from "./sample-signals.js";
import type { Evaluation, Session } from "./session.js";
import type { Split } from "./split.js";

/** Samples that statistics are re-estimated on. */
const CALIBRATION_SIZE = 2000;

type HowLooked = Pick<Evaluation, "weights" | "norm">;

export interface Looked {
  readonly evaluated: EvaluatedParts;
  /** u32 [testCount]; undefined where no test set is looked at. */
  readonly testPredictions: Uint32Array | undefined;
}

/** Looks at one run's model, in evaluation mode, on samples that are the same in every epoch; for every seed, too, where its split is. */
export class Evaluator {
  readonly #session: Session;
  readonly #split: Split;
  readonly #settings: RunConfig["evaluation"];
  readonly #test: Uint32Array;
  readonly #norm: Norm;
  readonly #hasBatchNorm: boolean;
  /** Training samples, shuffled, that statistics are re-estimated on. */
  readonly #calibration: Uint32Array;

  /** `test`: those of the test set that are looked at. */
  constructor(session: Session, split: Split, settings: RunConfig["evaluation"], test: Uint32Array) {
    this.#session = session;
    this.#split = split;
    this.#settings = settings;
    this.#test = test;
    this.#hasBatchNorm = session.opened.settings.batchNormLayers > 0;
    this.#norm = this.#hasBatchNorm ? settings.batchNorm : "running";
    this.#calibration = this.#shuffledSample("calibration", split.eligible, session.labels, CALIBRATION_SIZE);
  }

  isDue(epoch: number, isLast: boolean): boolean {
    return isLast || (epoch + 1) % this.#settings.every === 0;
  }

  /** `updates`: that are in the mean of the weights, which is looked at, too, where there are some. */
  async look(updates: number): Promise<Looked> {
    const [{ measured, testPredictions }, averaged, lastReestimated] = await Promise.all([
      this.#lookWith({ weights: "last", norm: this.#norm }),
      updates === 0 ? undefined : this.#lookWith({ weights: "averaged", norm: this.#normOfAveraged }),
      updates === 0 || !this.#hasBatchNorm ? undefined : this.#lastReestimated(),
    ]);
    const alike = lastReestimated && { lastReestimated };
    return {
      evaluated: { ...measured, ...(averaged && { averaged: { updates, ...averaged.measured, ...alike } }) },
      testPredictions,
    };
  }

  /** Under the statistics that the mean has: a difference to it is then of the weights alone. */
  async #lastReestimated(): Promise<Measured | undefined> {
    const onTest = await this.#signals("test", this.#test, { weights: "last", norm: "reestimated" });
    return onTest && toMeasured(onTest);
  }

  async #lookWith(how: HowLooked) {
    const { trainSample, validation } = this.#split;
    const [onTrainSample, onValidation, onTest] = await Promise.all([
      this.#signals("train", trainSample, how),
      this.#signals("train", validation, how),
      this.#signals("test", this.#test, how),
    ]);
    const measured = {
      ...(onTrainSample && { trainSample: toMeasured(onTrainSample) }),
      ...(onValidation && { validation: toMeasured(onValidation) }),
      ...(onTest && { test: toMeasured(onTest) }),
    };
    return { measured, testPredictions: onTest?.prediction };
  }

  /** Running statistics are of the last weights. */
  get #normOfAveraged(): Norm {
    return this.#hasBatchNorm ? "reestimated" : "running";
  }

  /** A scoring pass over all that may be trained on. */
  async score(
    extras: readonly ExtraSignal[],
  ): Promise<{ readonly indices: Uint32Array; readonly signals: SampleSignals }> {
    const { eligible: indices } = this.#split;
    return { indices, signals: await this.scoreOnly(indices, extras) };
  }

  /** A scoring pass over these training samples, behind what was asked for before. */
  scoreOnly(indices: Uint32Array, extras: readonly ExtraSignal[]): Promise<SampleSignals> {
    return this.#session.score(indices, this.#settings.batchSize, extras);
  }

  /** Loss of every sample of the training set, [n], in evaluation mode, by the labels that are trained on. */
  async lossesOfAll(): Promise<Float32Array> {
    const all = consecutive(this.#session.labels.length);
    return (await this.#session.score(all, this.#settings.batchSize, [])).loss;
  }

  /** The three kinds of statistics side by side; undefined where the model has none of a batch. */
  async compareStatistics(plan: Plan): Promise<BatchNormMetrics | undefined> {
    const { batchNormSample: mostSamples, batchSize } = this.#settings;
    if (!this.#hasBatchNorm || mostSamples === 0) return undefined;
    return compareStatistics(this.#session, {
      test: this.#shuffledSample("test-sample", this.#test, this.#session.testLabels, mostSamples),
      calibration: this.#calibration,
      plan,
      batchSize,
      mostSamples,
    });
  }

  #signals(part: "train" | "test", indices: Uint32Array, how: HowLooked): Promise<SampleSignals> | undefined {
    if (indices.length === 0) return undefined;
    const calibration = how.norm === "reestimated" ? this.#calibration : undefined;
    const { batchSize } = this.#settings;
    return this.#session.evaluate({ part, indices, batchSize, ...how, calibration });
  }

  /** Stratified, of equal samples always the same ones. Batches of it are mixed as chance has it. */
  #shuffledSample(stream: Stream, from: Uint32Array, labels: Uint32Array, size: number): Uint32Array {
    const numbers = random(0, stream, 0);
    const { length: classCount } = this.#session.opened.classNames;
    return shuffled(stratifiedSample(from, labels, classCount, Math.min(size, from.length), numbers), numbers);
  }
}
