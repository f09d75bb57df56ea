/** What a run directory holds from before, checked before anything is added to it. */
import { IbatchError, usageError } from "../errors.js";
import { Checkpoints } from "../record/checkpoints.js";
import type { EpochMetrics } from "../record/epoch-metrics.js";
import { openRun, readEpochs, recordedSurroundings } from "../record/read-run.js";
import { readRuns } from "../record/read-runs.js";
import { isFinished, type RunDocument, type Surroundings } from "../record/run-document.js";
import type { RunPlaceOnDisk } from "../record/run-places.js";
import { type GoingOn, whyAnew } from "./going-on.js";
import { runText } from "./observer.js";
import { modelOf } from "./other-code.js";
import type { MadeIn } from "./surroundings.js";

/** The runs that a command asks for, and whether it goes on with them. */
export interface Asking extends Pick<GoingOn, "checkpoint"> {
  /** Those of the config. */
  readonly arms: readonly string[];
  /** `seed`: undefined of all of an arm's. */
  isAsked(run: { readonly arm: string; readonly seed: number | undefined }): boolean;
  /** Whether another process holds it, and trains it. */
  isHeld(run: { readonly arm: string; readonly seed: number }): boolean;
}

/** A run on record, of whatever arm and seed. */
export interface RecordedRun {
  readonly arm: string;
  readonly seed: number;
  readonly directory: string;
  readonly document: RunDocument;
  /** Undefined where it did not come to its end, and is to be done again. */
  readonly finished: FinishedRun | undefined;
  /** Undefined where it begins anew. */
  readonly made: MadeIn | undefined;
}

/** How a run ended, with its recorded epochs. */
export interface FinishedRun {
  readonly document: RunDocument;
  readonly metrics: readonly EpochMetrics[];
}

export interface Recorded {
  readonly runs: readonly RecordedRun[];
  /** Of those that cannot be read and that the command does not ask for, what is wrong: a line each. */
  readonly leftOut: readonly string[];
}

/**
 * Every run on record, also of arms and seeds that the command does not ask for. Every file of the finished ones is
 * checked.
 * @throws IbatchError when one that it asks for is damaged, or does not say whether it goes on.
 */
export function readRecorded(directory: string, { arms, checkpoint, isAsked, isHeld }: Asking): Recorded {
  const { runs, blocked, damaged } = readRuns(directory, arms, (place) =>
    readOne(place, isAsked(place) ? { checkpoint } : {}, isHeld(place)),
  );
  const inTheWay = blocked.find(isAsked);
  if (inTheWay !== undefined) throw usageError(`${inTheWay.damage}, or name another --out`);
  const asked = damaged.find(isAsked);
  if (asked !== undefined) throw asked.error;
  return { runs, leftOut: [...blocked, ...damaged].map(({ damage }) => damage) };
}

function readOne({ arm, seed, directory }: RunPlaceOnDisk, by: GoingOn, isHeld: boolean): RecordedRun | undefined {
  const opened = openRun(directory);
  if (opened === undefined) return undefined;
  const { document, files } = opened;
  const run = { arm, seed, directory, document };
  const made = isHeld ? underWayIn(run, document) : madeIn(run, document, by);
  if (!isFinished(document)) return { ...run, finished: undefined, made };
  files.verifyAll();
  return { ...run, finished: readEpochs(opened), made };
}

/** As `madeIn`, of a run that another command trains now: whatever it began from, it goes on. */
export const underWayIn = (run: Which, document: RunDocument): MadeIn | undefined =>
  document.surroundings && madeOf(run, document, document.surroundings);

/** The directory of a run, and what it is the run of. */
type Which = Pick<RecordedRun, "arm" | "seed" | "directory">;

/**
 * In what surroundings its result was made, or will be where it goes on; undefined where it begins anew.
 * @throws IbatchError where that cannot be seen.
 */
export function madeIn(run: Which, document: RunDocument, by: GoingOn): MadeIn | undefined {
  if (!isFinished(document) && whyAnew({ document, steps: stepsOf(run) }, by) !== undefined) return undefined;
  return madeOf(run, document, recordedSurroundings(run.directory, document));
}

function madeOf({ arm, seed, directory }: Which, document: RunDocument, surroundings: Surroundings): MadeIn {
  const { failedByItself, seeds } = document;
  const made = { arm, seed: seeds?.model ?? seed, directory, goesOn: !isFinished(document), failedByItself };
  return { ...made, ...modelOf(document.config.model), surroundings };
}

function stepsOf({ arm, seed, directory }: Which): number[] {
  try {
    return new Checkpoints(directory).steps;
  } catch (error) {
    if (!(error instanceof IbatchError)) throw error;
    const message = `${runText({ arm, seed })}: whether it goes on cannot be seen: ${error.message}`;
    throw new IbatchError(error.kind, message, { cause: error });
  }
}
