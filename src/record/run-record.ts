/** The directory of one run: `<arm>/seed-<n>/` (layout: README, "What is recorded"). */
import { readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { usageError } from "../errors.js";
import { bytesOf } from "./array-file.js";
import { CHECKSUMS, type Checksums, checksumOf, formatChecksums } from "./checksums.js";
import { isDirectory, makeDirectory } from "./directory.js";
import { append } from "./disk.js";
import { parseLines, parseLinesSoFar } from "./epoch-lines.js";
import { sha256 } from "./hash.js";
import { recordedNumber } from "./number.js";
import { numbered } from "./numbered.js";
import { damage, isThere } from "./read-file.js";
import {
  clearRun,
  hasOnlyBegun,
  IMAGES,
  METRICS,
  RUN_DOCUMENT,
  TEST_PREDICTIONS,
  TIMINGS,
  wholeFiles,
} from "./run-files.js";
import { RunFiles } from "./verified-files.js";
import { wholeJson, writeWhole, writeWholeJson } from "./whole-file.js";

/** How a run stands or ended. `diverged`: its first loss that was not finite ended it; a result, not a failure. */
export const RUN_STATES = ["running", "done", "diverged", "failed", "interrupted"] as const;
export type RunState = (typeof RUN_STATES)[number];

const count = z.int().min(0);

const surroundings = z.object({
  device: z.string(),
  deviceName: z.string(),
  threads: z.number(),
  versions: z.record(z.string(), z.string()),
  platform: z.string(),
  /** What the backend was asked to load, and what it found. */
  dataset: z.object({ name: z.string(), options: z.record(z.string(), z.unknown()) }),
  dataSha256: z.string(),
  testCount: count,
  initialWeightsSha256: z.string(),
  parameterCount: z.number(),
  settings: z.record(z.string(), z.unknown()),
  /** What was imported of the user's; absent in records of before there was such. */
  imports: z
    .array(
      z.object({
        reference: z.string(),
        file: z.string().nullable(),
        version: z.string().nullable(),
        sha256: z.string().nullable(),
      }),
    )
    .optional(),
  /** Every source of the user's that was executed for these, by module; absent in records of before, and without any. */
  code: z.array(z.object({ module: z.string(), file: z.string(), sha256: z.string() })).optional(),
});
/** What a run's bits depend on beside config and seed. */
export type Surroundings = z.infer<typeof surroundings>;

const runDocument = z.object({
  arm: z.string(),
  seed: count,
  configHash: z.string(),
  /** What `configHash` is over; `experiment.json` holds the arms of the last command alone. */
  config: z.record(z.string(), z.unknown()),
  /** Of a replaying run, a hash of the plans that it replays; absent in records of before there was such. */
  replayedSha256: z.string().optional(),
  ibatchVersion: z.string(),
  commit: z.string().optional(),
  startedAt: z.string().optional(),
  state: z.enum(RUN_STATES),
  divergedAtStep: count.optional(),
  error: z.string().optional(),
  surroundings: surroundings.optional(),
  /** The list of all its files beside this one; absent in records of before there was such, and until the run ends. */
  checksums: z.literal(CHECKSUMS).optional(),
});
/** `run.json`: what this run is, what made it, and how it stands. */
export type RunDocument = z.infer<typeof runDocument>;

/** Whether it came to its end: a result. */
export const isFinished = ({ state }: Pick<RunDocument, "state">): boolean => state === "done" || state === "diverged";

const measured = z.object({ loss: recordedNumber, accuracy: z.number().min(0).max(1), count });
/** Mean loss and share classified right, over `count` samples. */
export type Measured = z.infer<typeof measured>;

const orderMonitors = z.object({
  /** Different samples among those drawn. */
  distinct: count,
  /** How often the sample came that came most often. */
  mostDrawn: count,
  /**
   * 1/Σp² of the probabilities of being drawn first, over the eligible samples: their number where all are alike.
   * Not known of a replayed order.
   */
  effectiveDataSize: z.number().optional(),
  /**
   * Σ1/q over the drawn samples, q being the probability with which each was to be drawn, as a share of the eligible
   * ones: 1 in expectation. Only where the order says q. Uncapped, so `meanWeight` below it is the weight that a cap cost.
   */
  meanInverseInclusion: z.number().optional(),
  /** (Σw)²/Σw² of the weights (Kish); only where there are weights. */
  effectiveSampleSize: z.number().optional(),
  /** Of the weights as sent; 1 in expectation for unbiased ones without a cap. Only where there are weights. */
  meanWeight: z.number().optional(),
  /** Steps since the losses of the drawn samples were seen, in the mean; only for an order that reads the ledger. */
  meanLossAgeSteps: z.number().optional(),
  /** Spearman's, between the places of samples in this order and in the last epoch's; from the second epoch on. */
  rankCorrelation: z.number().optional(),
});
/** What is watched of every epoch's order. */
export type OrderMonitors = z.infer<typeof orderMonitors>;

const batchNorm = z.object({
  /** A fixed, shuffled part of the test set. */
  test: z.object({ running: measured, batch: measured, reestimated: measured }).optional(),
  /** Whole batches of what the last epoch trained on. */
  ownBatches: z.object({ running: measured, batch: measured }).optional(),
});
/**
 * The same samples, with BatchNorm normalising by its running statistics, by those of the batch under way, and by
 * re-estimated ones. All without dropout and augmentation.
 */
export type BatchNormMetrics = z.infer<typeof batchNorm>;

const epochMetrics = z.object({
  epoch: count,
  step: count,
  batches: count,
  samples: count,
  /** Samples of the scoring pass before this epoch; 0 where there was none. */
  scored: count,
  /** Smallest and largest batch. */
  batchSize: z.object({ smallest: count, largest: count }),
  learningRate: z.object({ first: z.number(), last: z.number() }),
  train: measured,
  trainSample: measured.optional(),
  validation: measured.optional(),
  test: measured.optional(),
  /** Of the last epoch, for a model that normalises by batches. */
  batchNorm: batchNorm.optional(),
  order: orderMonitors,
  orderSha256: z.string(),
  planSha256: z.string(),
});
/** A line of `metrics.jsonl`: only what is a function of config and seed. */
export type EpochMetrics = z.infer<typeof epochMetrics>;

const epochTimings = z.object({
  epoch: count,
  /** Making the order and the rates. */
  orderingSeconds: z.number(),
  /** Training, as the backend measured it. */
  trainingSeconds: z.number(),
  /** Scoring passes, as the backend measured them. */
  scoringSeconds: z.number(),
  /** Evaluating, as the backend measured it. */
  evaluatingSeconds: z.number(),
  /** Time with messages under way that the backend did not spend on them: packing, sending, hashing, unpacking. */
  wireSeconds: z.number(),
  /** The rest of the epoch, in which the backend waited: recording, and making the order. */
  waitingSeconds: z.number(),
  totalSeconds: z.number(),
});
/** A line of `timings.jsonl`. All in seconds. */
export type EpochTimings = Readonly<z.infer<typeof epochTimings>>;

/** What of a plan is recorded. */
export interface RecordedPlan {
  readonly indices: Uint32Array;
  readonly offsets: Uint32Array;
  readonly learningRates: Float64Array;
  readonly weights?: Float32Array | undefined;
}

export interface RecordedImages {
  readonly indices: Uint32Array;
  /** H, W, C */
  readonly shape: readonly number[];
  readonly pixels: Uint8Array;
}

/** In place of a predicted class: the sample was not seen. */
export const NOT_SEEN = 2 ** 32 - 1;

/** Of the epoch's training passes, or (`scored-`) of the scoring pass before the epoch. */
export type SignalName = `${"" | "scored-"}${"loss" | "margin" | "entropy" | "el2n"}`;

export interface RecordOptions {
  /** `full`: the indices of every epoch; `hash`: only their hash. */
  readonly orders: "full" | "hash";
  /** `full`: the losses of every epoch; `last`: those of the last one. */
  readonly signals: "full" | "last";
}

export class RunRecord {
  readonly #options: RecordOptions;
  /** Called before what counts is written: throws where the directory is another process's by now. */
  readonly #refuseIfLost: () => void;
  #started = false;

  constructor(
    readonly directory: string,
    options: RecordOptions,
    refuseIfLost: () => void = () => {},
  ) {
    this.#options = options;
    this.#refuseIfLost = refuseIfLost;
  }

  /**
   * What was recorded of this run before, if anything; not of one whose first word is still to be written.
   * @throws IbatchError when it is damaged.
   */
  read(): RunDocument | undefined {
    return this.readFiles()?.document;
  }

  /** As `read`, with the files to go on reading. */
  readFiles(): { readonly document: RunDocument; readonly files: RunFiles } | undefined {
    const files = new RunFiles(this.directory);
    if (!files.has(RUN_DOCUMENT) && hasOnlyBegun(this.directory)) return undefined;
    const document = files.document(runDocument);
    const told = `${document.arm}/seed-${document.seed}`;
    if (told === join(basename(dirname(this.directory)), basename(this.directory))) return { document, files };
    throw files.damaged(RUN_DOCUMENT, damage(`it is of ${told}`));
  }

  /** Whether this attempt is on record: `start` was called. */
  get started(): boolean {
    return this.#started;
  }

  /**
   * Starts afresh: what an unfinished run left behind goes, once `run.json` says that this one is under way, so that
   * nothing is ever on record that does not say what it is. A user's own files stay.
   * @throws IbatchError where what lies there is no unfinished run: that is never replaced.
   */
  start(document: RunDocument): void {
    this.#refuseIfLost();
    this.refuseReplacing();
    this.#started = true;
    makeDirectory(this.directory);
    this.write(document);
    clearRun(this.directory);
    for (const part of ["orders", "signals"]) makeDirectory(join(this.directory, part));
    for (const name of [METRICS, TIMINGS]) writeWhole(join(this.directory, name), "");
  }

  /** An attempt that ended before it began: what an earlier one recorded is kept, and says so. */
  writeFailure(failed: RunDocument): void {
    const before = this.read();
    if (before === undefined) this.start(failed);
    else this.write({ ...before, state: failed.state, error: failed.error });
  }

  /** @throws IbatchError where a run of this name would take the place of a result, or of something that is no run. */
  refuseReplacing(): void {
    const inTheWay = [dirname(this.directory), this.directory].find((path) => isThere(path) && !isDirectory(path));
    if (inTheWay !== undefined) {
      throw usageError(
        `${inTheWay} is a file, or a link that leads nowhere, where a directory belongs: move or mend it, ` +
          "or name another --out",
      );
    }
    const before = this.read();
    if (before !== undefined && isFinished(before)) {
      throw usageError(`${this.directory} holds a run that is ${before.state}: remove it to do that run again`);
    }
  }

  /** Of a run that came to its end, the list of its files is on disk before: a kill between them leaves it unfinished. */
  write(document: RunDocument): void {
    this.#refuseIfLost();
    const text = wholeJson(isFinished(document) ? { ...document, checksums: CHECKSUMS } : document);
    if (isFinished(document)) {
      this.#keepLastSignals();
      writeWhole(join(this.directory, CHECKSUMS), formatChecksums(endedWith(this.directory, text)));
    }
    writeWhole(join(this.directory, RUN_DOCUMENT), text);
  }

  /** The epoch's plan; on disk before its first chunk goes out. Returns its hashes. */
  writePlan(epoch: number, plan: RecordedPlan): { orderSha256: string; planSha256: string } {
    this.#refuseIfLost();
    const orderSha256 = sha256(plan.indices);
    const planSha256 = sha256(plan.indices, plan.offsets, plan.learningRates, plan.weights);
    const path = join(this.directory, "orders", numbered(epoch));
    if (this.#options.orders === "full") {
      writeWhole(`${path}.u32`, bytesOf(plan.indices));
      if (plan.weights !== undefined) writeWhole(`${path}.weights.f32`, bytesOf(plan.weights));
    }
    writeWhole(
      `${path}.json`,
      `${JSON.stringify({
        epoch,
        orderSha256,
        planSha256,
        weighted: plan.weights !== undefined,
        offsets: [...plan.offsets],
        learningRates: [...plan.learningRates],
      })}\n`,
    );
    return { orderSha256, planSha256 };
  }

  /** One value a sample in index order, NaN where it was not seen in this pass. */
  writeSignal(name: SignalName, epoch: number, values: Float32Array): void {
    this.#writeSignal(name, `${numbered(epoch)}.f32`, values);
  }

  /** The class that training predicted of each sample, in index order; `NOT_SEEN` where it was not. */
  writePredictions(epoch: number, values: Uint32Array): void {
    this.#writeSignal("prediction", `${numbered(epoch)}.u32`, values);
  }

  #writeSignal(name: SignalName | "prediction", file: string, values: Float32Array | Uint32Array): void {
    const directory = join(this.directory, "signals", name);
    makeDirectory(directory);
    writeWhole(join(directory, file), bytesOf(values));
  }

  /**
   * With `signals: last`, the last of each kind: scoring passes are apart from every few epochs. Called when what was
   * made from the newer ones is on disk.
   */
  #keepLastSignals(): void {
    if (this.#options.signals === "full") return;
    const signals = join(this.directory, "signals");
    for (const name of readdirSync(signals)) {
      const files = readdirSync(join(signals, name)).filter((file) => /^\d+\.[fu]32$/.test(file));
      const newestFirst = files.sort((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10));
      for (const file of newestFirst.slice(1)) rmSync(join(signals, name, file), { force: true });
    }
  }

  /** [testCount]; those of the evaluation before go. */
  writeTestPredictions(values: Uint32Array): void {
    writeWhole(join(this.directory, TEST_PREDICTIONS), bytesOf(values));
  }

  /** Pixels [count, H, W, C] of these training samples. */
  writeImages({ indices, shape, pixels }: RecordedImages): void {
    writeWhole(join(this.directory, IMAGES.pixels), pixels);
    writeWholeJson(join(this.directory, IMAGES.document), { indices: [...indices], shape });
  }

  appendMetrics(metrics: EpochMetrics): void {
    this.#refuseIfLost();
    append(join(this.directory, METRICS), `${JSON.stringify(metrics)}\n`);
    this.#keepLastSignals();
  }

  appendTimings(timings: EpochTimings): void {
    append(join(this.directory, TIMINGS), `${JSON.stringify(timings)}\n`);
  }

  /** Of a run that came to its end. @throws IbatchError when it is damaged. */
  readMetrics(files = new RunFiles(this.directory)): EpochMetrics[] {
    return files.parsed(METRICS, (bytes) => parseLines(bytes.toString("utf8"), epochMetrics));
  }

  readTimings(files = new RunFiles(this.directory)): EpochTimings[] {
    return files.parsed(TIMINGS, (bytes) => parseLines(bytes.toString("utf8"), epochTimings));
  }

  /** Of a run that may be under way; none where it began no file yet. */
  readMetricsSoFar(files = new RunFiles(this.directory)): EpochMetrics[] {
    return linesSoFar(files, METRICS, epochMetrics);
  }

  readTimingsSoFar(files = new RunFiles(this.directory)): EpochTimings[] {
    return linesSoFar(files, TIMINGS, epochTimings);
  }
}

const linesSoFar = <T extends EpochMetrics | EpochTimings>(files: RunFiles, name: string, schema: z.ZodType<T>): T[] =>
  files.has(name) ? files.parsed(name, (bytes) => parseLinesSoFar(bytes.toString("utf8"), schema)) : [];

/** Of a run's files as they lie there, and of the `run.json` that is to end it. */
function endedWith(run: string, document: string): Checksums {
  const files = new RunFiles(run);
  const others = wholeFiles(run).filter((name) => name !== RUN_DOCUMENT);
  const checksums = others.sort().map((name) => [name, checksumOf(files.bytes(name))] as const);
  return new Map([...checksums, [RUN_DOCUMENT, checksumOf(Buffer.from(document))]]);
}
