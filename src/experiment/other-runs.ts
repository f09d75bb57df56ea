/** Runs of the same directory that other commands train meanwhile: what is begun here is made beside them, too. */
import { IbatchError } from "../errors.js";
import type { ExperimentRecord } from "../record/experiment-record.js";
import { holderOf } from "../record/lock.js";
import { openRun } from "../record/read-run.js";
import { isFinished, type RunDocument } from "../record/run-document.js";
import { documentStamp, listRuns, type RunPlaceOnDisk, runDirectory } from "../record/run-places.js";
import { madeIn, underWayIn } from "./recorded.js";
import type { RunOfConfig } from "./share.js";
import type { MadeIn } from "./surroundings.js";

/** A run of another command, as it is on record by now. */
export interface OtherRun extends RunPlaceOnDisk {
  readonly document: RunDocument;
  readonly made: MadeIn | undefined;
}

export class OtherRuns {
  readonly #record: ExperimentRecord;
  /** When `run.json` was written of those that were looked at. */
  readonly #seen = new Map<string, string>();
  /** Runs that came to their end: they change no more, and there may be thousands. */
  readonly #ended = new Set<string>();

  /** What is there by now is not new. */
  constructor(record: ExperimentRecord) {
    this.#record = record;
    for (const { directory } of listRuns(record.directory)) this.#pass(directory);
  }

  /** Lets others have a run that ended here: as it is now, it is none of theirs. */
  release({ arm, seed }: RunOfConfig, document: Pick<RunDocument, "state">): void {
    const directory = runDirectory(this.#record.directory, arm, seed);
    this.#pass(directory);
    if (isFinished(document)) this.#ended.add(directory);
    this.#record.release(arm, seed);
  }

  /** Whether another living process holds it. */
  isHeld(arm: string, seed: number): boolean {
    const { directory } = this.#record;
    return !this.#record.holds(arm, seed) && holderOf(runDirectory(directory, arm, seed)) !== undefined;
  }

  /** Those that were written since the last look; what is damaged is for who asks for it to tell. */
  look(): OtherRun[] {
    const mayBeNew = ({ arm, seed, directory }: RunPlaceOnDisk) =>
      !this.#ended.has(directory) && !this.#record.holds(arm, seed);
    return listRuns(this.#record.directory, mayBeNew).flatMap((place) =>
      this.#pass(place.directory) ? this.#readOne(place) : [],
    );
  }

  /** Whether its first word is another one than at the last look. */
  #pass(run: string): boolean {
    const stamp = documentStamp(run);
    if (stamp === undefined || this.#seen.get(run) === stamp) return false;
    this.#seen.set(run, stamp);
    return true;
  }

  #readOne(place: RunPlaceOnDisk): OtherRun[] {
    this.#record.sayAlive(); // there may be thousands
    try {
      const opened = openRun(place.directory);
      if (opened === undefined) return [];
      const { document } = opened;
      if (isFinished(document)) this.#ended.add(place.directory);
      const isUnderWay = !isFinished(document) && this.isHeld(place.arm, place.seed);
      const made = isUnderWay ? underWayIn(place, document) : madeIn(place, document, {});
      return [{ ...place, document, made }];
    } catch (error) {
      if (error instanceof IbatchError) return [];
      throw error;
    }
  }
}
