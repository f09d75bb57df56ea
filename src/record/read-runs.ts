/** Reads the runs of an experiment's directory, also of one that is half finished; what is damaged is told apart. */
import { IbatchError } from "../errors.js";
import { type DamagedRun, findRuns } from "./find-runs.js";
import type { RunPlaceOnDisk } from "./run-places.js";

export interface RunsRead<T> {
  /** Arms and seeds in sequence. */
  readonly runs: readonly T[];
  /** Places of which nothing can be read. */
  readonly blocked: readonly DamagedRun[];
  readonly damaged: readonly UnreadRun[];
}

export interface UnreadRun extends DamagedRun {
  /** What was thrown; `damage` is its message. */
  readonly error: IbatchError;
}

/** Each as `read` has it, which returns undefined of one that is not on record yet. `arms`: those of the config. */
export function readRuns<T>(
  directory: string,
  arms: readonly string[],
  read: (place: RunPlaceOnDisk) => T | undefined,
): RunsRead<T> {
  const found = findRuns(directory, arms);
  const runs: T[] = [];
  const damaged: UnreadRun[] = [];
  for (const place of found.runs) {
    try {
      const run = read(place);
      if (run !== undefined) runs.push(run);
    } catch (error) {
      if (!(error instanceof IbatchError)) throw error;
      damaged.push({ arm: place.arm, seed: place.seed, damage: error.message, error });
    }
  }
  return { runs, blocked: found.blocked, damaged };
}
