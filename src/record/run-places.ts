/** Where an experiment's runs lie: `<arm>/seed-<n>/`. Links are followed: an arm may have been moved to another disk. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { whyBlocked } from "./blocked.js";
import { isDirectory } from "./read-file.js";
import { holdsRun, RUN_DOCUMENT } from "./run-files.js";

export interface RunPlaceOnDisk {
  readonly arm: string;
  readonly seed: number;
  readonly directory: string;
}

/** What names a directory: of the experiment, of an arm. */
export const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

export const runDirectory = (experiment: string, arm: string, seed: number): string =>
  runInArm(join(experiment, arm), seed);

/** `arm`: its directory. */
export const runInArm = (arm: string, seed: number): string => join(arm, `seed-${seed}`);

/** Every directory that is a run's by its name, arms and seeds in sequence; of those that are not wanted none is looked into. */
export function listRuns(
  experiment: string,
  isWanted: (run: RunPlaceOnDisk) => boolean = () => true,
): RunPlaceOnDisk[] {
  return directoriesIn(experiment)
    .flatMap((arm) => readdirSync(join(experiment, arm)).flatMap((name) => placeOf(experiment, arm, name) ?? []))
    .filter((run) => isWanted(run) && isOpenDirectory(run.directory))
    .sort((a, b) => (a.arm === b.arm ? a.seed - b.seed : a.arm < b.arm ? -1 : 1));
}

function placeOf(experiment: string, arm: string, name: string): RunPlaceOnDisk | undefined {
  const seed = seedOf(name);
  return seed === undefined ? undefined : { arm, seed, directory: runDirectory(experiment, arm, seed) };
}

/** By which it is seen whether a run's first word was written anew; undefined where there is none. */
export const documentStamp = (run: string): string | undefined => stampOf(join(run, RUN_DOCUMENT));

/** By which it is seen whether a file was written anew; undefined where there is none. */
export function stampOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && `${found.mtimeMs} ${found.size} ${found.ino}`;
}

/** Those of an arm's directory, or the directory itself where it is a run's; seeds in sequence. */
export function runsIn(directory: string): string[] {
  if (holdsRun(directory)) return [directory];
  const seeds = directoriesIn(directory).flatMap((name) => seedOf(name) ?? []);
  return seeds
    .sort((a, b) => a - b)
    .map((seed) => runInArm(directory, seed))
    .filter(holdsRun);
}

/** `seed-00` is no name that we give. */
export function seedOf(name: string): number | undefined {
  const seed = /^seed-(0|[1-9]\d*)$/.exec(name)?.[1];
  return seed === undefined ? undefined : Number(seed);
}

/** Those that can be looked into. */
const directoriesIn = (path: string): string[] => readdirSync(path).filter((name) => isOpenDirectory(join(path, name)));

const isOpenDirectory = (path: string): boolean => whyBlocked(path) === undefined && isDirectory(path);
