/** The directory of an experiment (layout: README, "What is recorded"). */
import { readdirSync, realpathSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { RecordOptions } from "./checkpoint.js";
import { type RecordedDataset, refuseBlockedDatasets, writeDataset } from "./dataset-record.js";
import { makeDirectory, removeEmpty } from "./directory.js";
import { EXPERIMENT, type ExperimentDocument, writeExperimentDocument } from "./experiment-document.js";
import {
  type ExperimentHash,
  identify,
  isUnused,
  type Known,
  LOG,
  SUMMARY,
  sweepPartials,
} from "./experiment-files.js";
import { Lock } from "./lock.js";
import { appendToLog } from "./log-file.js";
import { ownerOf } from "./owner.js";
import { isThere } from "./read-file.js";
import { runDirectory } from "./run-places.js";
import { RunRecord } from "./run-record.js";
import { type StatisticsDocument, writeStatistics } from "./statistics-file.js";
import type { Summary } from "./summary-document.js";
import { type ValidationDocument, writeValidation } from "./validation-record.js";
import { writeWhole, writeWholeJson, writing } from "./write-file.js";

/** What an experiment is, and how the last command asked for it. */
export type ExperimentIdentity = Omit<ExperimentDocument, "config" | "given">;

interface Results {
  readonly summary: Summary;
  readonly statistics: StatisticsDocument | undefined;
  readonly table: string;
}

export class ExperimentRecord {
  readonly directory: string;
  readonly identity: ExperimentIdentity;
  readonly #before: Before;
  readonly #lock: Lock;
  readonly #options: RecordOptions;
  readonly #within: ExperimentRecord | undefined;
  #closed = false;
  #owner: string | undefined;
  #unwritten: ExperimentDocument["config"] | undefined;

  private constructor(
    directory: string,
    before: Before,
    lock: Lock,
    identity: ExperimentIdentity,
    options: RecordOptions,
    within: ExperimentRecord | undefined,
  ) {
    this.directory = directory;
    this.#before = before;
    this.#lock = lock;
    this.identity = identity;
    this.#options = options;
    this.#within = within;
  }

  /**
   * Opens the directory for this experiment, makes it where it is not there, and keeps others out until `close`.
   * Changes nothing that is in it, but for what a killed writer left half written. `within`: the experiment that it is a
   * part of, whose runs these are, too.
   * @throws IbatchError when it holds another experiment or something else.
   */
  static open(
    directory: string,
    { determining, ...identity }: ExperimentIdentity & ExperimentHash,
    options: RecordOptions,
    within?: ExperimentRecord,
  ): ExperimentRecord {
    const made = makeDirectory(directory);
    try {
      const lock = new Lock(directory);
      try {
        const before = {
          made,
          names: readdirSync(directory),
          known: identify(directory, { hash: identity.hash, ...(determining && { determining }) }),
        };
        refuseBlockedDatasets(directory);
        sweepPartials(directory);
        return new ExperimentRecord(directory, before, lock, identity, options, within);
      } catch (error) {
        lock.release();
        throw error;
      }
    } catch (error) {
      removeEmpty(made);
      throw error;
    }
  }

  /** By which a backend knows another command again that goes on here. */
  get owner(): string {
    this.#owner ??= this.#within?.owner ?? ownerOf(this.directory);
    return this.#owner;
  }

  /** Whether nothing but the runs themselves can say what experiment lies there: `experiment.json` is lost or damaged. */
  get isUnnamed(): boolean {
    return this.#before.known === "by-runs";
  }

  /**
   * Writes `experiment.json`, once it is known that nothing that is there speaks against it. One that is there of this
   * experiment is replaced when the next run begins: a command of which all runs are refused is none to go on with.
   */
  writeDocumentBeforeRuns(config: ExperimentDocument["config"]): void {
    if (this.#before.known === "by-document") this.#unwritten = config;
    else this.writeDocument(config);
  }

  #writeUnwritten(): void {
    if (this.#within !== undefined) this.#within.#writeUnwritten();
    if (this.#unwritten !== undefined) this.writeDocument(this.#unwritten);
  }

  /** Writes `experiment.json` at once. */
  writeDocument(config: ExperimentDocument["config"]): void {
    this.#lock.refuseIfLost();
    this.#unwritten = undefined;
    const { name, hash, ...made } = this.identity;
    const path = join(this.directory, EXPERIMENT);
    if (this.isUnnamed && isThere(path)) writing(path, () => renameSync(path, `${path}.damaged`));
    const given = { in: process.cwd(), directory: realpathSync(this.directory) };
    writeExperimentDocument(this.directory, { name, hash, config, ...made, given });
  }

  run(arm: string, seed: number): RunRecord {
    return new RunRecord(runDirectory(this.directory, arm, seed), this.#options, {
      refuseIfLost: () => this.#lock.refuseIfLost(),
      begins: () => this.#writeUnwritten(),
    });
  }

  /** What runs trained on; written once. */
  writeDataset(dataset: RecordedDataset): void {
    writeDataset(this.directory, dataset);
  }

  /** `statistics`: undefined where there are none; those of before are then not of these results. */
  writeResults({ summary, statistics, table }: Results): void {
    this.#lock.refuseIfLost();
    writeWholeJson(join(this.directory, SUMMARY), summary);
    writeStatistics(this.directory, statistics);
    writeWhole(join(this.directory, "table.md"), table);
  }

  /** Of a directory that no run has begun in, `experiment.json` is written, too. */
  writeValidation(validation: ValidationDocument, config: ExperimentDocument["config"]): void {
    if (!isThere(join(this.directory, EXPERIMENT))) this.writeDocument(config);
    writeValidation(this.directory, validation);
  }

  writeReport(page: string): string {
    this.#lock.refuseIfLost();
    const path = join(this.directory, "report.html");
    writeWhole(path, page);
    return path;
  }

  /** Lines of `log.txt`, with the time; of what is heard after `close`, nothing. */
  log(...lines: readonly string[]): void {
    if (!this.#closed) appendToLog(this.directory, lines);
  }

  /** What cannot be looked at just now stays. */
  get #isUnused(): boolean {
    try {
      return isUnused(this.directory);
    } catch {
      return false;
    }
  }

  /** Lets others in. Where neither run nor validation came of it, the directory is as it was before, or not there. */
  close(): void {
    this.#closed = true;
    const unused = this.#isUnused;
    if (unused) {
      for (const name of [EXPERIMENT, LOG]) {
        if (!this.#before.names.includes(name)) rmSync(join(this.directory, name), { force: true });
      }
    }
    this.#lock.release();
    if (unused) removeEmpty(this.#before.made);
  }
}

/** What was there when it was opened. */
interface Before {
  /** Directories that were made for it. */
  readonly made: readonly string[];
  readonly names: readonly string[];
  readonly known: Known;
}
