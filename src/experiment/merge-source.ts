/** A run directory that is to be merged with others: what is on record there, all of it checked. */
import { join } from "node:path";
import { type IbatchError, usageError } from "../errors.js";
import { Checkpoints } from "../record/checkpoints.js";
import type { EpochMetrics } from "../record/epoch-metrics.js";
import { type ExperimentDocument, readExperimentDocument } from "../record/experiment-document.js";
import { isUnused } from "../record/experiment-files.js";
import { holderOf } from "../record/lock.js";
import { askable, type Holder, holderText, LOCK, SILENCE_SECONDS } from "../record/lock-holder.js";
import { presentIn } from "../record/presence.js";
import { openRun, readEpochs } from "../record/read-run.js";
import { readRuns } from "../record/read-runs.js";
import { isFinished, type RunDocument } from "../record/run-document.js";
import { documentStamp, type RunPlaceOnDisk } from "../record/run-places.js";
import { readTuning, type TuningDocument, tuningRuns } from "../record/tuning-record.js";
import { madeIn } from "./recorded.js";
import type { MadeIn } from "./surroundings.js";

export interface MergeSource {
  readonly directory: string;
  readonly document: ExperimentDocument;
  readonly runs: readonly SourceRun[];
  /** How its learning rates were chosen. */
  readonly tuning: TuningDocument | undefined;
  /** The runs that they were tuned by, which may have been left out of a copy. */
  readonly trials: MergeSource | undefined;
}

export interface SourceRun extends RunPlaceOnDisk {
  /** Of before it was looked at: one that has another by the time it is copied is not what was looked at. */
  readonly stamp: string | undefined;
  readonly document: RunDocument;
  /** Undefined of one that would begin anew. */
  readonly made: MadeIn | undefined;
  /** How far it came; undefined of one that came to its end. */
  readonly soFar: SoFar | undefined;
}

interface SoFar {
  /** Step of the newest checkpoint; -1 where there is none. */
  readonly checkpoint: number;
  readonly metrics: readonly EpochMetrics[];
}

/**
 * Every file of its finished runs is checked, and the lines of the others; their checkpoints are when they go on. `document`: what experiment it is, where that is lost there.
 * @throws IbatchError where it holds no experiment, a command works in it, or anything in it is damaged.
 */
export function readSource(
  directory: string,
  document: ExperimentDocument = readExperimentDocument(directory),
): MergeSource {
  const whole = holderOf(directory);
  const holder = whole === undefined || whole.brief ? presentIn(directory)[0] : whole;
  if (holder !== undefined) throw inUse(directory, holder);
  const { runs, blocked, damaged } = readRuns(directory, Object.keys(document.config.arms), readOne);
  if (damaged.length > 0) throw damaged[0].error;
  if (blocked.length > 0) throw usageError(blocked[0].damage);
  return { directory, document, runs, tuning: readTuning(directory), trials: trialsOf(directory) };
}

/** None where a command was stopped before it began one. */
function trialsOf(directory: string): MergeSource | undefined {
  const trials = tuningRuns(directory);
  return trials === undefined || isUnused(trials) ? undefined : readSource(trials);
}

function readOne(place: RunPlaceOnDisk): SourceRun | undefined {
  const holder = holderOf(place.directory);
  if (holder !== undefined) throw inUse(place.directory, holder);
  const stamp = documentStamp(place.directory);
  const opened = openRun(
    place.directory,
    `bring it back, or remove ${place.directory}: it is merged without that run then`,
  );
  if (opened === undefined) return undefined;
  const { document, files } = opened;
  const { metrics } = readEpochs(opened);
  const run = { ...place, stamp, document, made: madeIn(place, document, {}) };
  if (!isFinished(document)) {
    return { ...run, soFar: { checkpoint: new Checkpoints(place.directory).steps[0] ?? -1, metrics } };
  }
  files.verifyAll();
  return { ...run, soFar: undefined };
}

/** `path`: of what says so, where that is not the lock of the directory. */
export function inUse(
  directory: string,
  { path = join(directory, LOCK), ...holder }: Holder & { readonly path?: string },
): IbatchError {
  const heard =
    askable(holder) || !holder.beats
      ? `if that is no ibatch any more, remove ${path}`
      : `it cannot be asked from here: after ${SILENCE_SECONDS} s of silence it counts as gone`;
  return usageError(`${directory} is in use by ${holderText(holder)}: merge when that has ended (${heard})`);
}
