/** What is copied from one experiment's directory into another: whole runs or nothing of them, and what was logged. */
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { usageError } from "../errors.js";
import { Checkpoints, isCheckpointFile } from "./checkpoints.js";
import { CHECKSUMS } from "./checksums.js";
import { EXPERIMENT, readIdentity } from "./experiment-document.js";
import { LOG, OLDER_LOG } from "./experiment-files.js";
import { sha256 } from "./hash.js";
import { holderOf } from "./lock.js";
import { LOCK } from "./lock-holder.js";
import { isDirectory, isThere, looking, readBytes, sizeOfFile, Unreadable, unreadable } from "./read-file.js";
import { isFinished } from "./run-document.js";
import { isRunFile, RUN_DOCUMENT, TIMINGS, wholeFiles } from "./run-files.js";
import { documentStamp, listRuns } from "./run-places.js";
import { RunFiles } from "./verified-files.js";
import { append, flushNames, PARTIAL, writing } from "./write-file.js";

/**
 * What lies where directories are merged to: `named`, where it says that it is this experiment, or is damaged, and `unnamed`
 * where that is lost and there are runs. Of others `nothing`, which are refused when it is opened.
 */
export function lyingIn(directory: string, hash: string): "named" | "unnamed" | "nothing" {
  if (!isDirectory(directory)) return "nothing";
  if (!isThere(join(directory, EXPERIMENT))) return runsStampOf(directory) === "" ? "nothing" : "unnamed";
  return (readIdentity(directory)?.hash ?? hash) === hash ? "named" : "nothing";
}

/** By which it is seen whether a run was begun, went on or ended there. */
export const runsStampOf = (directory: string): string =>
  isDirectory(directory)
    ? listRuns(directory)
        .flatMap(({ directory: run }) => documentStamp(run) ?? [])
        .join()
    : "";

/** Ends the name of a run's directory that is being copied, and of one that another takes the place of. */
const ASIDE = { copied: ".merging", replaced: ".replaced" } as const;

/**
 * Copies a run beside where it is to be, whole, on the disk itself and checked again. `stamp`: of when it was looked at
 * before. Returns what gives it its name there,
 * in the place of what lies there; others must be kept out of that meanwhile.
 * @throws IbatchError where the disk refuses, or the run was gone on with meanwhile; then nothing of it stays.
 */
export function stageRun(from: string, stamp: string | undefined, to: string): () => void {
  const staged = `${to}${ASIDE.copied}`;
  const refuseGoneOnWith = () => {
    if (holderOf(from) !== undefined || documentStamp(from) !== stamp) throw goneOnWith(from);
  };
  try {
    refuseGoneOnWith();
    copyWhole(from, staged);
    refuseGoneOnWith();
    const files = new RunFiles(staged, "give the same command again");
    if (isFinished(files.document())) files.verifyAll();
  } catch (error) {
    rmSync(staged, { recursive: true, force: true });
    throw error;
  }
  return () => putInPlace(staged, to);
}

/** Its own files alone: what else lies there is the user's, and stays. */
function copyWhole(from: string, staged: string): void {
  const listed = isThere(join(from, CHECKSUMS)) ? [CHECKSUMS] : [];
  const files = [...wholeFiles(from), ...listed, ...new Checkpoints(from).files];
  for (const name of files) {
    const [source, copy] = [join(from, name), join(staged, name)];
    refuseUnreadable(source);
    writing(copy, () => copyOne(source, copy));
  }
  const entries = readdirSync(staged, { recursive: true, withFileTypes: true });
  for (const directory of new Set(entries.map(({ parentPath }) => parentPath)))
    flushNames(join(directory, RUN_DOCUMENT));
}

/** @throws IbatchError that names it where it is no file, or may not be read. */
function refuseUnreadable(path: string): void {
  try {
    sizeOfFile(path);
    looking(path, () => accessSync(path, constants.R_OK));
  } catch (error) {
    if (error instanceof Unreadable) throw unreadable(path, error, "bring it back, or remove its run");
    throw error;
  }
}

/** On the disk itself when it returns. What was read-only there may be gone on with here. */
function copyOne(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
  chmodSync(to, statSync(to).mode | constants.S_IRUSR | constants.S_IWUSR);
  const file = openSync(to, "r");
  fsyncSync(file);
  closeSync(file);
}

/** What lies in a run's directory and is none of ours, which would go with what takes its place. */
export function foreignIn(run: string): string | undefined {
  if (!existsSync(run)) return undefined;
  const isLock = (path: string) => path === LOCK || (path.startsWith(`${LOCK}.`) && path.endsWith(PARTIAL));
  const isOurs = (path: string) => isRunFile(path) || isCheckpointFile(path) || isLock(path);
  const entries = readdirSync(run, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory());
  return entries.map((entry) => relative(run, join(entry.parentPath, entry.name))).find((path) => !isOurs(path));
}

/** A kill between leaves neither there, and the run where it was copied from. */
function putInPlace(staged: string, to: string): void {
  const replaced = `${to}${ASIDE.replaced}`;
  writing(to, () => {
    if (existsSync(to)) renameSync(to, replaced);
    renameSync(staged, to);
    flushNames(to);
    rmSync(replaced, { recursive: true, force: true });
  });
}

/** What a merge that was killed left of a run. */
export function sweepAside(to: string): void {
  for (const ending of Object.values(ASIDE)) rmSync(`${to}${ending}`, { recursive: true, force: true });
}

const goneOnWith = (run: string) =>
  usageError(`${run} was gone on with by another command meanwhile: merge when that has ended`);

/** What tells when something was done, and by which command: two runs of equal results differ in it. */
const OF_TIME: readonly string[] = [RUN_DOCUMENT, TIMINGS];

/** The first file in which two runs of one arm and seed differ, but for times; undefined where they are equal. */
export function differingFile(one: string, other: string): string | undefined {
  const [first, second] = [one, other].map((run) => wholeFiles(run).filter((name) => !OF_TIME.includes(name)));
  return [...new Set([...first, ...second])].find((name) => {
    if (!first.includes(name) || !second.includes(name)) return true;
    return sha256(readBytes(join(one, name))) !== sha256(readBytes(join(other, name)));
  });
}

/** A line with the time, and what follows it without. */
const LOGGED = /^(?=\d{4}-\d\d-\d\dT[\d:.]+Z )/m;

/** Adds what was logged there, unless it was added before. Returns a line where that cannot be read: it is not missed. */
export function copyLog(from: string, to: string): string | undefined {
  const logOf = (directory: string) => [OLDER_LOG, LOG].map((name) => textOf(join(directory, name))).join("");
  try {
    const before = logOf(to);
    const known = new Set(before.split(LOGGED));
    const added = logOf(from)
      .split(LOGGED)
      .filter((entry) => !known.has(entry));
    const isCut = before !== "" && !before.endsWith("\n"); // by a full disk
    if (added.length > 0) append(join(to, LOG), `${isCut ? "\n" : ""}${added.join("")}`);
    return undefined;
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return `the log of ${from} is not taken: a log ${error.message}`;
  }
}

const textOf = (path: string): string => (isThere(path) ? readBytes(path).toString("utf8") : "");
