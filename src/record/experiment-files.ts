/** The files beside the arms' directories, and what a directory says of itself by them. */
import { closeSync, openSync, readdirSync, readSync, rmSync } from "node:fs";
import { join } from "node:path";
import { usageError } from "../errors.js";
import { DATASETS } from "./dataset-record.js";
import { differences } from "./differences.js";
import { EXPERIMENT, type ExperimentDocument, readIdentity } from "./experiment-document.js";
import { EXPORTS } from "./export-files.js";
import { LOCK } from "./lock-holder.js";
import { isPresence } from "./presence.js";
import { isDirectory, isThere } from "./read-file.js";
import { RUN_DOCUMENT } from "./run-files.js";
import { listRuns, seedOf } from "./run-places.js";
import { STATISTICS } from "./statistics-file.js";
import { TUNING, TUNING_RUNS } from "./tuning-record.js";
import { VALIDATION } from "./validation-record.js";
import { PARTIAL } from "./write-file.js";

export const LOG = "log.txt";
/** What `log.txt` held before it was begun anew. */
export const OLDER_LOG = "log.older.txt";
export const SUMMARY = "summary.json";

/** What is beside the arms' directories. */
export const EXPERIMENT_FILES: readonly string[] = [
  DATASETS,
  EXPORTS,
  EXPERIMENT,
  SUMMARY,
  STATISTICS,
  VALIDATION,
  TUNING,
  TUNING_RUNS,
  "table.md",
  "report.html",
  LOG,
  OLDER_LOG,
  LOCK,
];

/**
 * How a directory is known to be this experiment's: nothing was recorded there yet, its `experiment.json` says so, or
 * that is lost or damaged and only its runs can tell.
 */
export type Known = "unused" | "by-document" | "by-runs";

/** What a command asks for. */
export interface ExperimentHash {
  readonly hash: string;
  /** What the hash is over: the name, the evaluation and what is common to all arms. Absent: not to be told. */
  readonly determining?: Readonly<Record<string, unknown>>;
}

type Config = ExperimentDocument["config"];
type Determining = { readonly [K in "name" | "evaluation" | "base" | "fixedSeeds" | "tune"]?: Config[K] | undefined };

/** What the hash is over, as a config on record says it. */
export const determiningOf = ({
  name,
  evaluation,
  base,
  fixedSeeds: seeds,
  tune,
}: Determining): Readonly<Record<string, unknown>> => ({
  ...{ name, evaluation },
  ...(seeds && { seeds }),
  ...(tune && { tune }),
  ...base,
});

/** @throws IbatchError where it holds another experiment, or something else. */
export function identify(directory: string, { hash, determining }: ExperimentHash): Known {
  const document = readIdentity(directory);
  const found = document?.hash;
  if (found === hash) return "by-document";
  if (isUnused(directory)) return "unused";
  if (found !== undefined) {
    const then = document?.config;
    const what = then?.base && determining && differences(determiningOf(then), determining);
    const other = what ? ` (${what})` : "";
    const maker =
      document?.command === undefined ? "run the config that made it" : `run what made it: ${document.command}`;
    throw usageError(
      `${directory} holds experiment ${found.slice(0, 8)}, this config is experiment ${hash.slice(0, 8)}${other}: ` +
        `name another directory with --out, or ${maker}`,
    );
  }
  if (listRuns(directory).some((run) => isThere(join(run.directory, RUN_DOCUMENT)))) return "by-runs";
  throw usageError(`${directory} holds something that is no experiment of ours: name another directory with --out`);
}

/** Whether there is only what a command leaves that ended, or was killed, before it recorded anything. */
export const isUnused = (directory: string): boolean =>
  readdirSync(directory).every((name) => isSpare(directory, name));

function isSpare(directory: string, name: string): boolean {
  if (name === EXPERIMENT) return readIdentity(directory)?.ibatchVersion !== undefined;
  if (name === LOG || name === OLDER_LOG) return isOurLog(join(directory, name));
  return isLock(name) || isPartial(name) || isForRuns(join(directory, name));
}

/** Of a command, or of one that is on its way to its lock. */
const isLock = (name: string): boolean =>
  name === LOCK || isPresence(name) || (name.startsWith(`${LOCK}.`) && name.endsWith(PARTIAL));

/** A directory that was made for runs, none of which began. */
function isForRuns(arm: string): boolean {
  if (!isDirectory(arm)) return false;
  return readdirSync(arm).every((name) => {
    const run = join(arm, name);
    return seedOf(name) !== undefined && isDirectory(run) && readdirSync(run).every(isLock);
  });
}

/** Of a file of ours that was being written; of locks, who takes them sees to that. */
const isPartial = (name: string): boolean =>
  name.endsWith(PARTIAL) && EXPERIMENT_FILES.includes(name.slice(0, -PARTIAL.length));

/** Removes what a killed writer left half written; call it with others kept out. */
export function sweepPartials(directory: string): void {
  removePartials(directory, isPartial);
  const datasets = join(directory, DATASETS);
  if (!isDirectory(datasets)) return;
  for (const name of readdirSync(datasets)) removePartials(join(datasets, name), (file) => file.endsWith(PARTIAL));
}

function removePartials(directory: string, isOurs: (name: string) => boolean): void {
  if (!isDirectory(directory)) return;
  for (const name of readdirSync(directory)) if (isOurs(name)) rmSync(join(directory, name), { force: true });
}

const TIME_BYTES = 25;

/** Its lines begin with a time. */
function isOurLog(path: string): boolean {
  const start = Buffer.alloc(TIME_BYTES);
  try {
    const file = openSync(path, "r");
    const read = readSync(file, start);
    closeSync(file);
    return read === 0 || /^\d{4}-\d\d-\d\dT[\d:.]+Z /.test(start.toString("latin1", 0, read));
  } catch {
    return false;
  }
}
