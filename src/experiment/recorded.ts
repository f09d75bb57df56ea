/** What a run directory holds from before, checked before anything is added to it. */
import { IbatchError, usageError } from "../errors.js";
import type { EpochMetrics } from "../record/epoch-metrics.js";
import type { ExperimentRecord, RunOnDisk } from "../record/experiment-record.js";
import type { BlockedPlace } from "../record/find-runs.js";
import { damage } from "../record/read-file.js";
import { readRun } from "../record/read-run.js";
import { isFinished, type RunDocument } from "../record/run-document.js";
import { RUN_DOCUMENT } from "../record/run-files.js";
import type { RunRecord } from "../record/run-record.js";
import { RunFiles } from "../record/verified-files.js";
import { modelOf } from "./other-code.js";
import type { MadeIn } from "./surroundings.js";

/** The arms and seeds of a command. */
export interface Asked {
  readonly arms: readonly string[];
  readonly seeds: readonly number[];
}

/** A run on record, of whatever arm and seed. */
export interface RecordedRun {
  readonly arm: string;
  readonly seed: number;
  readonly record: RunRecord;
  readonly document: RunDocument;
  /** Undefined where it did not come to its end, and is to be done again. */
  readonly finished: FinishedRun | undefined;
}

/** How a run ended, with its recorded epochs. */
export interface FinishedRun {
  readonly document: RunDocument;
  readonly metrics: readonly EpochMetrics[];
}

export interface Recorded {
  readonly runs: readonly RecordedRun[];
  /** Of those that are damaged and that the command does not ask for, what is wrong: a line each. */
  readonly leftOut: readonly string[];
}

/**
 * Every run on record, also of arms and seeds that the command does not ask for.
 * @throws IbatchError when one that it asks for is damaged.
 */
export function readRecorded(record: ExperimentRecord, { arms, seeds }: Asked): Recorded {
  const isAsked = ({ arm, seed }: Pick<BlockedPlace, "arm" | "seed">) =>
    arms.includes(arm) && (seed === undefined || seeds.includes(seed));
  const found = record.recordedRuns(arms);
  const asked = found.blocked.find(isAsked);
  if (asked !== undefined) throw usageError(`${asked.damage}, or name another --out`);
  const runs: RecordedRun[] = [];
  const leftOut = found.blocked.map(({ damage }) => damage);
  for (const run of found.runs) {
    try {
      runs.push(...readOne(run));
    } catch (error) {
      if (!(error instanceof IbatchError) || isAsked(run)) throw error;
      leftOut.push(error.message);
    }
  }
  return { runs, leftOut };
}

function readOne({ arm, seed, record }: RunOnDisk): RecordedRun[] {
  const document = record.read();
  if (document === undefined) return [];
  return [{ arm, seed, record, document, finished: isFinished(document) ? readRun(record) : undefined }];
}

/** In what surroundings the results on record were made. */
export function madeIn(recorded: readonly Omit<RecordedRun, "finished">[]): MadeIn[] {
  return recorded.flatMap(({ arm, seed, record: { directory }, document }) => {
    if (!isFinished(document)) return [];
    const { surroundings } = document;
    if (surroundings !== undefined) return [{ arm, seed, directory, ...modelOf(document.config.model), surroundings }];
    throw new RunFiles(directory).damaged(RUN_DOCUMENT, damage("it lacks the surroundings"));
  });
}
