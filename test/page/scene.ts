/** A tiny experiment on disk, written through the record as a run writes it; every number is made up. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { writeDataset } from "../../src/record/dataset-record.js";
import type { EpochMetrics } from "../../src/record/epoch-metrics.js";
import type { RecordedNumber } from "../../src/record/number.js";
import type { RunDocument } from "../../src/record/run-document.js";
import { RunRecord } from "../../src/record/run-record.js";
import { writeSealed } from "../../src/record/sealed.js";

export const SAMPLES = 12;
export const CLASSES = 3;
const BATCH = 4;
const CLASS_NAMES = ["cat", "dog", "<b>owl</b>"];
const DATA = "d".repeat(64);
export const LABELS = Uint32Array.from({ length: SAMPLES }, (_, at) => at % CLASSES);
/** In place of a class: not drawn. */
const NOT_DRAWN = 0xffffffff;

export interface MadeRun {
  readonly state?: RunDocument["state"];
  readonly error?: string;
  readonly divergedAtStep?: number;
  readonly failedByItself?: true;
  readonly madeOtherPlan?: true;
  readonly startedAt?: string;
  readonly resumed?: RunDocument["resumed"];
  /** Of its session. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Test accuracies, an epoch each. */
  readonly accuracies: readonly number[];
  readonly losses?: readonly RecordedNumber[];
}

export interface MadeExperiment {
  readonly name?: string;
  readonly seeds?: readonly number[];
  readonly epochs?: number;
  readonly baseline?: string;
  /** By arm, then by seed. */
  readonly arms: Readonly<Record<string, Readonly<Record<number, MadeRun>>>>;
  /** Records the dataset, predictions and pictures. */
  readonly labels?: boolean;
  readonly batchNorm?: EpochMetrics["batchNorm"];
  readonly trainSample?: boolean;
  /** Of the images. */
  readonly channels?: number;
  /** Of which the first three are recorded. */
  readonly classNames?: readonly string[];
}

/** Two arms, two seeds, three epochs. */
export const SMALL: MadeExperiment = {
  baseline: "shuffled",
  arms: {
    shuffled: { 0: { accuracies: [0.5, 0.7, 0.8125] }, 1: { accuracies: [0.4, 0.72, 0.875] } },
    sorted: { 0: { accuracies: [0.3, 0.6, 0.75] }, 1: { accuracies: [0.45, 0.5, 0.6875] } },
  },
  labels: true,
};

/** Writes it into a new directory, which goes when the test ends. */
export function make(experiment: MadeExperiment): string {
  const directory = mkdtempSync(join(tmpdir(), "ibatch-report-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  makeIn(directory, experiment);
  return directory;
}

/** Writes it into this one. */
export function makeIn(directory: string, experiment: MadeExperiment): void {
  const {
    name = "tiny",
    seeds = [0, 1],
    epochs = 3,
    baseline,
    arms,
    labels = false,
    trainSample = true,
    batchNorm,
    channels = 1,
    classNames = CLASS_NAMES,
  } = experiment;
  const arm = { epochs, order: { name: "shuffled", options: {}, changesObjective: false } };
  const config = { name, seeds, baseline, arms: Object.fromEntries(Object.keys(arms).map((key) => [key, arm])) };
  const document = { name, hash: "0123456789abcdef", config, command: "ibatch run tiny.yaml", ibatchVersion: "0.1.0" };
  mkdirSync(directory, { recursive: true });
  writeSealed(join(directory, "experiment.json"), document);
  for (const [key, runs] of Object.entries(arms)) {
    for (const [seed, run] of Object.entries(runs))
      makeRun(directory, key, Number(seed), { run, config: arm, trainSample, labels, batchNorm, channels });
  }
  if (labels) {
    writeDataset(directory, {
      name,
      dataSha256: DATA,
      classNames: [...classNames],
      inputShape: [channels, 2, 2],
      labels: LABELS,
      testLabels: LABELS,
    });
  }
}

interface MadeWith {
  readonly run: MadeRun;
  readonly config: RunDocument["config"];
  readonly trainSample: boolean;
  readonly labels: boolean;
  readonly batchNorm: EpochMetrics["batchNorm"];
  readonly channels: number;
}

function makeRun(directory: string, arm: string, seed: number, made: MadeWith): void {
  const record = new RunRecord(join(directory, arm, `seed-${seed}`), { orders: "full", signals: "full" });
  const { run, config, labels } = made;
  const { state = "done", error, divergedAtStep, failedByItself, madeOtherPlan, startedAt, resumed, settings } = run;
  const document: RunDocument = {
    arm,
    seed,
    configHash: "c",
    config,
    ibatchVersion: "0.1.0",
    commit: "abc123",
    ...(startedAt !== undefined && { startedAt }),
    ...(resumed !== undefined && { resumed }),
    state: "running",
    surroundings: {
      device: "cpu",
      deviceName: "a processor",
      threads: 1,
      versions: { python: "3.11", torch: "2.9" },
      platform: "Linux",
      dataset: { name: "tiny", options: {} },
      dataSha256: DATA,
      testCount: SAMPLES,
      initialWeightsSha256: `${seed}`.padStart(64, "e"),
      parameterCount: 100,
      settings: { ...settings },
    },
  };
  record.start(document);
  for (const epoch of run.accuracies.keys()) makeEpoch(record, epoch, made);
  if (labels) writeArrays(record, made, seed);
  if (state === "running") return;
  record.write({
    ...document,
    state,
    ...(error !== undefined && { error }),
    ...(divergedAtStep !== undefined && { divergedAtStep }),
    ...(failedByItself && { failedByItself }),
    ...(madeOtherPlan && { madeOtherPlan }),
  });
}

function makeEpoch(record: RunRecord, epoch: number, { run, trainSample, batchNorm }: MadeWith): void {
  const { accuracies, losses } = run;
  const indices = Uint32Array.from({ length: SAMPLES }, (_, at) => (at * 5 + epoch) % SAMPLES);
  const offsets = Uint32Array.from({ length: SAMPLES / BATCH + 1 }, (_, at) => at * BATCH);
  const learningRates = new Float64Array(SAMPLES / BATCH).fill(0.1 / (epoch + 1));
  const hashes = record.writePlan(epoch, { indices, offsets, learningRates });
  record.writeSignal(
    "loss",
    epoch,
    Float32Array.from({ length: SAMPLES }, (_, at) => (at + 1) / (epoch + 2)),
  );
  const accuracy = accuracies[epoch];
  const loss = losses?.[epoch] ?? 2 * (1 - accuracy);
  const metrics: EpochMetrics = {
    epoch,
    step: (epoch + 1) * (SAMPLES / BATCH),
    batches: SAMPLES / BATCH,
    samples: SAMPLES,
    scored: 0,
    batchSize: { smallest: BATCH, largest: BATCH },
    learningRate: { first: learningRates[0], last: learningRates[0] },
    train: { loss, accuracy, count: SAMPLES },
    ...(trainSample && { trainSample: { loss, accuracy: Math.min(1, accuracy + 0.05), count: SAMPLES } }),
    test: { loss, accuracy, count: 16 },
    ...(batchNorm && epoch === accuracies.length - 1 && { batchNorm }),
    order: { distinct: SAMPLES, mostDrawn: 1, effectiveDataSize: SAMPLES, meanLossAgeSteps: 3 + epoch },
    ...hashes,
  };
  record.appendMetrics(metrics);
  const spent = {
    orderingSeconds: 0,
    scoringSeconds: 0.25,
    evaluatingSeconds: 1,
    wireSeconds: 0,
    waitingSeconds: 0.25,
  };
  record.appendTimings({ epoch, trainingSeconds: 1.5, totalSeconds: 3, ...spent });
}

/** Samples 0, 4 and 8 are taken for class 0 in training and at the end; seed s does not draw sample s in epoch 0. */
function writeArrays(record: RunRecord, { run, channels }: MadeWith, seed: number): void {
  const { accuracies, state = "done" } = run;
  const predictions = LABELS.map((label, at) => (at % 4 === 0 ? 0 : label));
  for (const epoch of accuracies.keys()) {
    record.writePredictions(
      epoch,
      predictions.map((label, at) => (epoch === 0 && at === seed ? NOT_DRAWN : label)),
    );
  }
  record.writeTestPredictions(predictions);
  if (state !== "done") return;
  const indices = Uint32Array.of(4, 8, 9, 11);
  const pixels = Uint8Array.from({ length: 4 * channels * indices.length }, (_, at) => 15 * at);
  record.writeImages({ indices, shape: [2, 2, channels], pixels });
}
