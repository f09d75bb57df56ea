/** The directory of an experiment (layout: README, "What is recorded"). */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { usageError } from "../errors.js";
import { Lock } from "./lock.js";
import { type RecordOptions, RunRecord } from "./run-record.js";
import { writeWhole, writeWholeJson } from "./whole-file.js";

const experimentDocument = z.object({ hash: z.string() }).loose();

/** `experiment.json`: what determines the numbers, and how it was asked for. */
export interface ExperimentDocument {
  readonly name: string;
  /** Hash of what determines numbers and is common to all runs. */
  readonly hash: string;
  readonly config: unknown;
  readonly command: string;
  readonly commit: string | undefined;
  readonly ibatchVersion: string;
}

export class ExperimentRecord {
  readonly directory: string;
  readonly #lock: Lock;
  readonly #options: RecordOptions;

  private constructor(directory: string, lock: Lock, options: RecordOptions) {
    this.directory = directory;
    this.#lock = lock;
    this.#options = options;
  }

  /**
   * Opens the directory for this experiment, makes it where it is not there, and keeps others out until `close`.
   * @throws IbatchError when it holds another experiment or something else.
   */
  static open(directory: string, document: ExperimentDocument, options: RecordOptions): ExperimentRecord {
    mkdirSync(directory, { recursive: true });
    const lock = new Lock(directory);
    try {
      refuseOthers(directory, document.hash);
      writeWholeJson(join(directory, "experiment.json"), document);
      return new ExperimentRecord(directory, lock, options);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  run(arm: string, seed: number): RunRecord {
    return new RunRecord(join(this.directory, arm, `seed-${seed}`), this.#options);
  }

  writeSummary(summary: unknown, table: string): void {
    writeWholeJson(join(this.directory, "summary.json"), summary);
    writeWhole(join(this.directory, "table.md"), table);
  }

  /** A line of `log.txt`, with the time. */
  log(line: string): void {
    appendFileSync(join(this.directory, "log.txt"), `${new Date().toISOString()} ${line}\n`);
  }

  close(): void {
    this.#lock.release();
  }
}

function refuseOthers(directory: string, hash: string): void {
  const path = join(directory, "experiment.json");
  if (!existsSync(path)) return;
  const found = experimentDocument.safeParse(JSON.parse(readFileSync(path, "utf8")));
  if (found.success && found.data.hash === hash) return;
  const seen = found.success ? `experiment ${found.data.hash.slice(0, 8)}` : "something that is no experiment of ours";
  throw usageError(
    `${directory} holds ${seen}, this config is experiment ${hash.slice(0, 8)}: ` +
      "name another directory with --out, or run the config that made it",
  );
}
