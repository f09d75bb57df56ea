/** The directory of one run: `<arm>/seed-<n>/` (layout: README, "What is recorded"). */
import { readdirSync, rmSync, truncateSync } from "node:fs";
import { dirname, join } from "node:path";
import { usageError } from "../errors.js";
import { whyBlocked } from "./blocked.js";
import type { Checkpoint, RecordOptions, RunOf } from "./checkpoint.js";
import { type Accept, Checkpoints, type Entry } from "./checkpoints.js";
import { CHECKSUMS, type Checksums, checksumOf, formatChecksums } from "./checksums.js";
import { makeDirectory } from "./directory.js";
import type { EpochMetrics, EpochTimings } from "./epoch-metrics.js";
import { sha256 } from "./hash.js";
import { openRun, readMetrics } from "./read-run.js";
import type { ImagesDocument } from "./recorded-images.js";
import type { PlanDocument } from "./recorded-orders.js";
import { isFinished, type RunDocument } from "./run-document.js";
import {
  clearAfter,
  clearRun,
  FINAL_LOSSES,
  IMAGES,
  METRICS,
  orderFile,
  predictionFile,
  RUN_DOCUMENT,
  type RunPoint,
  type SignalName,
  signalFile,
  TEST_PREDICTIONS,
  TIMINGS,
  TRAINED_LABELS,
  wholeFiles,
} from "./run-files.js";
import { RunFiles } from "./verified-files.js";
import { append, appendSoon, bytesOf, wholeJson, writeWhole, writing } from "./write-file.js";

/** What of a plan is recorded. */
export interface RecordedPlan {
  readonly indices: Uint32Array;
  readonly offsets: Uint32Array;
  readonly learningRates: Float64Array;
  readonly weights?: Float32Array | undefined;
}

export interface PlanHashes {
  /** Of the indices. */
  readonly orderSha256: string;
  /** Of indices, offsets, learning rates and weights, one after another. */
  readonly planSha256: string;
}

export const planHashes = ({ indices, offsets, learningRates, weights }: RecordedPlan): PlanHashes => ({
  orderSha256: sha256(indices),
  planSha256: sha256(indices, offsets, learningRates, weights),
});

export interface RecordedImages {
  readonly indices: Uint32Array;
  /** H, W, C */
  readonly shape: ImagesDocument["shape"];
  readonly pixels: Uint8Array;
}

/** The checkpoint that a run goes on from, and where that stood. */
export interface ResumedFrom {
  readonly entry: Entry;
  readonly checkpoint: Pick<Checkpoint, "records" | "record">;
  readonly point: RunPoint;
}

/** Whose run it is. */
export interface RecordKeeper {
  /** Called before what counts is written: throws where the directory is another process's by now. */
  refuseIfLost?(): void;
  /** Called before an attempt's first word is written. */
  begins?(): void;
}

/** The records that a run adds to. */
const GROWING = [METRICS, TIMINGS];

export class RunRecord {
  #options: RecordOptions;
  readonly #refuseIfLost: () => void;
  readonly #begins: () => void;
  #started = false;
  /** Epochs one after another, up to the last. */
  #appended: readonly EpochMetrics[] = [];

  constructor(
    readonly directory: string,
    { orders, signals }: RecordOptions,
    { refuseIfLost = () => {}, begins = () => {} }: RecordKeeper = {},
  ) {
    this.#options = { orders, signals };
    this.#refuseIfLost = refuseIfLost;
    this.#begins = begins;
  }

  /**
   * What was recorded of this run before, if anything; not of one whose first word is still to be written.
   * @throws IbatchError when it is damaged.
   */
  read(): RunDocument | undefined {
    return openRun(this.directory)?.document;
  }

  get checkpoints(): Checkpoints {
    return new Checkpoints(this.directory, this.#refuseIfLost);
  }

  /** How much is recorded: as the run began, where it goes on. */
  get options(): RecordOptions {
    return this.#options;
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
    this.#begins();
    this.#started = true;
    this.#appended = [];
    makeDirectory(this.directory);
    this.checkpoints.keepOnly(); // before run.json says in what this run is made: they are of another
    this.write(document);
    clearRun(this.directory);
    for (const part of ["orders", "signals"]) makeDirectory(join(this.directory, part));
    for (const name of [METRICS, TIMINGS]) writeWhole(join(this.directory, name), "");
  }

  /** Goes on from where a checkpoint was taken: what was recorded after it goes, newer ones that cannot be used, too. */
  resume(document: RunDocument, { entry, checkpoint, point }: ResumedFrom): void {
    const { records, record } = checkpoint;
    this.#refuseIfLost();
    this.refuseReplacing();
    this.#begins();
    this.#options = record;
    this.#started = true;
    this.write(document);
    for (const name of GROWING) {
      const path = join(this.directory, name);
      writing(path, () => truncateSync(path, records[name]));
    }
    clearAfter(this.directory, point);
    this.checkpoints.keepFrom(entry);
    this.#appended = [];
  }

  /** As `Checkpoints.newest`, of those that are of no more than is on record. */
  async newestCheckpoint<T>(of: RunOf, accept: Accept<T>, tell: (line: string) => void): Promise<T | undefined> {
    const { checkpoints, lengths } = this;
    const acceptWhole: Accept<T> = async (checkpoint, entry) => {
      const shorter = GROWING.find((name) => !((lengths[name] ?? -1) >= checkpoint.records[name]));
      if (shorter === undefined) return accept(checkpoint, entry);
      const seen = lengths[shorter] === undefined ? "is missing" : `has ${lengths[shorter]} bytes`;
      return { fault: `${shorter} ${seen}, and had ${checkpoint.records[shorter]} by then` };
    };
    return checkpoints.newest(of, acceptWhole, tell);
  }

  /** Bytes of the records that grow, of those that are there. */
  get lengths(): Record<string, number> {
    const files = new RunFiles(this.directory);
    return Object.fromEntries(
      GROWING.flatMap((name): [string, number][] => {
        const bytes = files.size(name);
        return bytes === undefined ? [] : [[name, bytes]];
      }),
    );
  }

  /** An attempt that ended outside of its training: what is recorded is kept, goes on from there, and says so. */
  writeEndOutside(ended: RunDocument): void {
    const before = this.read();
    if (before === undefined) this.start(ended);
    else this.write({ ...before, state: ended.state, error: ended.error });
  }

  /** @throws IbatchError where a run of this name would take the place of a result, or of something that is no run. */
  refuseReplacing(): void {
    for (const path of [dirname(this.directory), this.directory]) {
      const why = whyBlocked(path);
      if (why !== undefined) throw usageError(`${path} ${why}, or name another --out`);
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

  /** Removes what a run that came to its end no longer needs. @throws IbatchError where the disk refuses. */
  clearEnded(document: RunDocument): void {
    const { finalCheckpoint: kept } = document;
    if (isFinished(document)) this.checkpoints.keepOnly(...(kept === undefined ? [] : [kept]));
  }

  /** The epoch's plan, on disk when this returns. Returns its hashes. */
  writePlan(epoch: number, plan: RecordedPlan, hashes: PlanHashes = planHashes(plan)): PlanHashes {
    this.#refuseIfLost();
    if (this.#options.orders === "full") {
      this.#write(orderFile(epoch, "u32"), bytesOf(plan.indices));
      if (plan.weights !== undefined) this.#write(orderFile(epoch, "weights.f32"), bytesOf(plan.weights));
    }
    const document: PlanDocument = {
      epoch,
      ...hashes,
      weighted: plan.weights !== undefined,
      offsets: [...plan.offsets],
      learningRates: [...plan.learningRates],
    };
    this.#write(orderFile(epoch, "json"), `${JSON.stringify(document)}\n`);
    return hashes;
  }

  /** Samples of an epoch that is decided batch by batch, from this one on; its plan is written when all of it is there. */
  writeDecided(epoch: number, from: number, { indices, weights }: Pick<RecordedPlan, "indices" | "weights">): void {
    if (this.#options.orders !== "full") return;
    if (from === 0) this.#refuseIfLost(); // not before each batch: nothing is read of it before the plan is written
    const add = (name: string, bytes: Uint8Array) =>
      from === 0 ? this.#write(name, bytes) : appendSoon(join(this.directory, name), bytes); // a checkpoint has it, too
    add(orderFile(epoch, "u32"), bytesOf(indices));
    if (weights !== undefined) add(orderFile(epoch, "weights.f32"), bytesOf(weights));
  }

  /** One value a sample in index order, NaN where it was not seen in this pass. */
  writeSignal(name: SignalName, epoch: number, values: Float32Array): void {
    this.#writeSignal(signalFile(name, epoch), values);
  }

  /** The class that training predicted of each sample, in index order; `NOT_SEEN` where it was not. */
  writePredictions(epoch: number, values: Uint32Array): void {
    this.#writeSignal(predictionFile(epoch), values);
  }

  #writeSignal(name: string, values: Float32Array | Uint32Array): void {
    makeDirectory(dirname(join(this.directory, name)));
    this.#write(name, bytesOf(values));
  }

  /** By its path below the run's directory. */
  #write(name: string, content: string | Uint8Array): void {
    writeWhole(join(this.directory, name), content);
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
      for (const file of newestFirst.slice(1)) {
        const path = join(signals, name, file);
        writing(path, () => rmSync(path, { force: true }));
      }
    }
  }

  /** [n]; of a run whose labels are not those of the dataset. */
  writeTrainedLabels(values: Uint32Array): void {
    this.#write(TRAINED_LABELS, bytesOf(values));
  }

  /** [n]: of every sample of the training set, whatever was trained on. */
  writeFinalLosses(values: Float32Array): void {
    this.#write(FINAL_LOSSES, bytesOf(values));
  }

  /** [testCount]; those of the evaluation before go. */
  writeTestPredictions(values: Uint32Array): void {
    this.#write(TEST_PREDICTIONS, bytesOf(values));
  }

  /** Pixels [count, H, W, C] of these training samples. */
  writeImages({ indices, shape, pixels }: RecordedImages): void {
    const document: ImagesDocument = { indices: [...indices], shape };
    this.#write(IMAGES.pixels, pixels);
    this.#write(IMAGES.document, wholeJson(document));
  }

  appendMetrics(metrics: EpochMetrics): void {
    this.#refuseIfLost();
    append(join(this.directory, METRICS), `${JSON.stringify(metrics)}\n`);
    this.#appended = [...this.#appended.filter(({ epoch }) => epoch < metrics.epoch), metrics];
    this.#keepLastSignals();
  }

  /** The lines of a run that came to its end; read only where they were not all appended here. */
  get metrics(): readonly EpochMetrics[] {
    return this.#appended[0]?.epoch === 0 ? this.#appended : readMetrics(this.directory);
  }

  appendTimings(timings: EpochTimings): void {
    append(join(this.directory, TIMINGS), `${JSON.stringify(timings)}\n`);
  }
}

/** Of a run's files as they lie there, and of the `run.json` that is to end it. */
function endedWith(run: string, document: string): Checksums {
  const files = new RunFiles(run);
  const others = wholeFiles(run).filter((name) => name !== RUN_DOCUMENT);
  const checksums = others.sort().map((name) => [name, checksumOf(files.bytes(name))] as const);
  return new Map([...checksums, [RUN_DOCUMENT, checksumOf(Buffer.from(document))]]);
}
