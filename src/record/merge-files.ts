/** What is copied from one experiment's directory into another: whole runs or nothing of them, and what was logged. */
import {
  closeSync,
  cpSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { usageError } from "../errors.js";
import { LOG, OLDER_LOG } from "./experiment-files.js";
import { sha256 } from "./hash.js";
import { holderOf, LOCK } from "./lock.js";
import { readBytes } from "./read-file.js";
import { isFinished } from "./run-document.js";
import { RUN_DOCUMENT, TIMINGS, wholeFiles } from "./run-files.js";
import { documentStamp } from "./run-places.js";
import { RunFiles } from "./verified-files.js";
import { append, flushNames, PARTIAL, writing } from "./write-file.js";

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
    writing(to, () => {
      mkdirSync(dirname(to), { recursive: true });
      copyWhole(from, staged);
    });
    refuseGoneOnWith();
    const files = new RunFiles(staged, "give the same command again");
    if (isFinished(files.document())) files.verifyAll();
  } catch (error) {
    rmSync(staged, { recursive: true, force: true });
    throw error;
  }
  return () => putInPlace(staged, to);
}

function copyWhole(from: string, staged: string): void {
  const isKept = (path: string) => basename(path) !== LOCK && !path.endsWith(PARTIAL);
  cpSync(from, staged, { recursive: true, preserveTimestamps: true, dereference: true, filter: isKept });
  for (const entry of readdirSync(staged, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = openSync(join(entry.parentPath, entry.name), "r");
    fsyncSync(file);
    closeSync(file);
  }
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

/** Adds what was logged there, unless it was added before. */
export function copyLog(from: string, to: string): void {
  const text = [OLDER_LOG, LOG].map((name) => textOf(join(from, name))).join("");
  if (text === "" || [OLDER_LOG, LOG].some((name) => textOf(join(to, name)).includes(text))) return;
  append(join(to, LOG), text);
}

const textOf = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "");
