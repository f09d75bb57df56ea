/** The directory of an experiment (layout: README, "What is recorded"). */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { usageError } from "../errors.js";
import { DATASETS, type RecordedDataset, writeDataset } from "./dataset-record.js";
import { append, writing } from "./disk.js";
import { EXPORTS } from "./export-files.js";
import { Lock } from "./lock.js";
import { listRuns, runDirectory } from "./run-places.js";
import { type RecordOptions, RunRecord } from "./run-record.js";
import { VALIDATION, type ValidationDocument, writeValidation } from "./validation-record.js";
import { PARTIAL, writeWhole, writeWholeJson } from "./whole-file.js";

/** What the statistics were asked and answered. */
export const STATISTICS = "statistics.json";

/** What is beside the arms' directories. */
export const EXPERIMENT_FILES: readonly string[] = [
  DATASETS,
  EXPORTS,
  "experiment.json",
  "summary.json",
  STATISTICS,
  VALIDATION,
  "table.md",
  "report.html",
  "log.txt",
  "lock",
];

const experimentDocument = z.object({ hash: z.string() }).loose();

/** `experiment.json`: what determines the numbers, and how the last command asked for it. */
export interface ExperimentDocument {
  readonly name: string;
  /** Hash of what determines numbers and is common to all runs. */
  readonly hash: string;
  readonly config: unknown;
  readonly command: string;
  readonly commit: string | undefined;
  readonly ibatchVersion: string;
}

/** A run's directory, by the names of its own and of the one above it. */
export interface RunOnDisk {
  readonly arm: string;
  readonly seed: number;
  readonly record: RunRecord;
}

export class ExperimentRecord {
  readonly directory: string;
  readonly document: ExperimentDocument;
  readonly #made: boolean;
  readonly #lock: Lock;
  readonly #options: RecordOptions;

  private constructor(
    directory: string,
    made: boolean,
    lock: Lock,
    document: ExperimentDocument,
    options: RecordOptions,
  ) {
    this.directory = directory;
    this.#made = made;
    this.#lock = lock;
    this.document = document;
    this.#options = options;
  }

  /**
   * Opens the directory for this experiment, makes it where it is not there, and keeps others out until `close`.
   * Changes nothing that is in it.
   * @throws IbatchError when it holds another experiment or something else.
   */
  static open(directory: string, document: ExperimentDocument, options: RecordOptions): ExperimentRecord {
    const made = writing(directory, () => mkdirSync(directory, { recursive: true })) !== undefined;
    const lock = new Lock(directory);
    try {
      refuseOthers(directory, document.hash);
      return new ExperimentRecord(directory, made, lock, document, options);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Writes `experiment.json`, once it is known that nothing that is there speaks against it. */
  writeDocument(): void {
    writeWholeJson(join(this.directory, "experiment.json"), this.document);
  }

  run(arm: string, seed: number): RunRecord {
    return new RunRecord(runDirectory(this.directory, arm, seed), this.#options);
  }

  /** Every run's directory that is there, also of arms and seeds that this command does not ask for. */
  recordedRuns(): RunOnDisk[] {
    return listRuns(this.directory).map(({ arm, seed }) => ({ arm, seed, record: this.run(arm, seed) }));
  }

  /** What runs trained on; written once. */
  writeDataset(dataset: RecordedDataset): void {
    writeDataset(this.directory, dataset);
  }

  /** `statistics`: undefined where there are none; those of before are then not of these results. */
  writeResults({ summary, statistics, table }: { summary: unknown; statistics: unknown; table: string }): void {
    writeWholeJson(join(this.directory, "summary.json"), summary);
    if (statistics === undefined) rmSync(join(this.directory, STATISTICS), { force: true });
    else writeWholeJson(join(this.directory, STATISTICS), statistics);
    writeWhole(join(this.directory, "table.md"), table);
  }

  /** Of a directory that no run has begun in, `experiment.json` is written, too. */
  writeValidation(validation: ValidationDocument): void {
    if (!existsSync(join(this.directory, "experiment.json"))) this.writeDocument();
    writeValidation(this.directory, validation);
  }

  writeReport(page: string): void {
    writeWhole(join(this.directory, "report.html"), page);
  }

  /** A line of `log.txt`, with the time. */
  log(line: string): void {
    append(join(this.directory, "log.txt"), `${new Date().toISOString()} ${line}\n`);
  }

  /** Lets others in. A directory that was made for this experiment and saw neither run nor validation goes again. */
  close(): void {
    const entries = readdirSync(this.directory, { withFileTypes: true });
    const unused = this.#made && entries.every((entry) => entry.isFile() && entry.name !== VALIDATION);
    if (unused) rmSync(this.directory, { recursive: true });
    else this.#lock.release();
  }
}

function refuseOthers(directory: string, hash: string): void {
  if (readdirSync(directory).every((name) => name === "lock" || name.endsWith(PARTIAL))) return;
  const found = readHash(join(directory, "experiment.json"));
  if (found === hash) return;
  if (found === undefined) {
    throw usageError(`${directory} holds something that is no experiment of ours: name another directory with --out`);
  }
  throw usageError(
    `${directory} holds experiment ${found.slice(0, 8)}, this config is experiment ${hash.slice(0, 8)}: ` +
      "name another directory with --out, or run the config that made it",
  );
}

/** Undefined where there is no such file, or one that is not ours. */
function readHash(path: string): string | undefined {
  try {
    return experimentDocument.parse(JSON.parse(readFileSync(path, "utf8"))).hash;
  } catch {
    return undefined;
  }
}
