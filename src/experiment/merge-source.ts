/** A run directory that is to be merged with others: what is on record there, all of it checked. */
import { type IbatchError, usageError } from "../errors.js";
import { type ExperimentDocument, readExperimentDocument } from "../record/experiment-document.js";
import { holderOf } from "../record/lock.js";
import { askable, type Holder, holderText, SILENCE_SECONDS } from "../record/lock-holder.js";
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
  readonly tuning: SourceTuning | undefined;
}

/** How its learning rates were chosen, and the runs that they were tuned by. */
interface SourceTuning {
  readonly document: TuningDocument | undefined;
  readonly trials: MergeSource;
}

export interface SourceRun extends RunPlaceOnDisk {
  /** Of before it was looked at: one that has another by the time it is copied is not what was looked at. */
  readonly stamp: string | undefined;
  readonly document: RunDocument;
  /** Undefined of one that would begin anew. */
  readonly made: MadeIn | undefined;
}

/**
 * Every file of its finished runs is checked. `others`: commands that work there, beside this one.
 * @throws IbatchError where it holds no experiment, a command works in it, or anything in it is damaged.
 */
export function readSource(
  directory: string,
  others: (directory: string) => readonly Holder[] = presentIn,
): MergeSource {
  const document = readExperimentDocument(directory);
  const whole = holderOf(directory);
  const holder = whole === undefined || whole.brief ? others(directory)[0] : whole;
  if (holder !== undefined) throw inUse(directory, holder);
  const { runs, blocked, damaged } = readRuns(directory, Object.keys(document.config.arms), readOne);
  if (damaged.length > 0) throw damaged[0].error;
  if (blocked.length > 0) throw usageError(blocked[0].damage);
  return { directory, document, runs, tuning: tuningOf(directory) };
}

function tuningOf(directory: string): SourceTuning | undefined {
  const trials = tuningRuns(directory);
  return trials === undefined ? undefined : { document: readTuning(directory), trials: readSource(trials) };
}

function readOne(place: RunPlaceOnDisk): SourceRun | undefined {
  const holder = holderOf(place.directory);
  if (holder !== undefined) throw inUse(place.directory, holder);
  const stamp = documentStamp(place.directory);
  const opened = openRun(place.directory);
  if (opened === undefined) return undefined;
  const { document, files } = opened;
  if (isFinished(document)) {
    files.verifyAll();
    readEpochs(opened);
  }
  return { ...place, stamp, document, made: madeIn(place, document, {}) };
}

export function inUse(directory: string, holder: Holder): IbatchError {
  const heard =
    askable(holder) || !holder.beats
      ? "if that is no ibatch any more, remove the lock"
      : `it cannot be asked from here: after ${SILENCE_SECONDS} s of silence it counts as gone`;
  return usageError(`${directory} is in use by ${holderText(holder)}: merge when that has ended (${heard})`);
}
