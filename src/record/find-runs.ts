/** Every run of an experiment's directory, and what lies in the place of one, or of an arm. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { whyBlocked } from "./blocked.js";
import { EXPERIMENT_FILES } from "./experiment-files.js";
import { isDirectory } from "./read-file.js";
import { FILE_NAME, listRuns, type RunPlaceOnDisk, seedOf } from "./run-places.js";

/** One that is left out of all results. */
export interface DamagedRun {
  readonly arm: string;
  /** Undefined: all of the arm's. */
  readonly seed: number | undefined;
  /** Which file or place, what was seen, what to do. */
  readonly damage: string;
}

export interface RunsFound {
  readonly runs: readonly RunPlaceOnDisk[];
  readonly blocked: readonly DamagedRun[];
}

/** `arms`: those of the config. A file of another name is the user's; of a link that leads nowhere nobody can tell. */
export function findRuns(experiment: string, arms: readonly string[]): RunsFound {
  const blocked = readdirSync(experiment)
    .filter((name) => arms.includes(name) || (isArmsName(name) && mayHoldRuns(join(experiment, name))))
    .flatMap((arm) => [...blockedAt(join(experiment, arm), { arm, seed: undefined }), ...blockedRuns(experiment, arm)]);
  const isBlocked = ({ arm, seed }: RunPlaceOnDisk) => blocked.some((one) => one.arm === arm && one.seed === seed);
  return { runs: listRuns(experiment).filter((run) => !isBlocked(run)), blocked };
}

const isArmsName = (name: string): boolean => FILE_NAME.test(name) && !EXPERIMENT_FILES.includes(name);

/** A directory, or a link that led to one. */
function mayHoldRuns(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return true;
  }
}

function blockedRuns(experiment: string, arm: string): DamagedRun[] {
  const directory = join(experiment, arm);
  if (whyBlocked(directory) !== undefined || !isDirectory(directory)) return [];
  return readdirSync(directory).flatMap((name) => {
    const seed = seedOf(name);
    return seed === undefined ? [] : blockedAt(join(directory, name), { arm, seed });
  });
}

function blockedAt(path: string, which: Pick<DamagedRun, "arm" | "seed">): DamagedRun[] {
  const why = whyBlocked(path);
  return why === undefined ? [] : [{ ...which, damage: `${path} ${why}` }];
}
