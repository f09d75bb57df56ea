/** Directories that are made with those above them, and go again where nothing came of them. */
import { lstatSync, mkdirSync, readlinkSync, rmdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { type IbatchError, usageError } from "../errors.js";
import { codeOf, diskRefusal } from "./disk-refusal.js";
import { cannotWrite, flushNames } from "./write-file.js";

/**
 * Makes a directory where there is none, and returns what was made, the outermost first. Node's own `recursive` tries
 * for ever where the system says that there is no such place, as below /proc.
 * @param option by which the user named it.
 * @throws IbatchError that says what is in the way.
 */
export function makeDirectory(path: string, option = "--out"): string[] {
  refuseName(path, option);
  const made: string[] = [];
  try {
    for (const directory of missing(path)) {
      if (makeOne(directory, (reason, cause) => cannotWrite(path, { reason, option, cause }))) made.push(directory);
    }
  } catch (error) {
    removeEmpty(made);
    throw error;
  }
  return made;
}

/** Removes those that are empty, the innermost first. */
export function removeEmpty(made: readonly string[]): void {
  for (const directory of [...made].reverse()) {
    try {
      rmdirSync(directory);
    } catch {
      return; // something lies there by now: it stays, and those above it
    }
  }
}

function refuseName(path: string, option: string): void {
  if (path === "") throw usageError(`${option} "": expected the name of a directory`);
  if (path.includes("\0")) throw usageError(`${option} ${JSON.stringify(path)}: a name cannot hold a NUL character`);
}

/** The directories on the way that are not there, the outermost first. */
function missing(path: string): string[] {
  if (isSeen(path)) return [];
  const above = dirname(path);
  return [...(above === path ? [] : missing(above)), path];
}

/** Whether it was not there. */
function makeOne(directory: string, refused: (reason: string, cause: unknown) => IbatchError): boolean {
  try {
    mkdirSync(directory);
    flushNames(directory);
    return true;
  } catch (error) {
    if (isSeen(directory)) return false; // made by another meanwhile
    if (codeOf(error) === "EEXIST" && lstatSync(directory).isSymbolicLink())
      throw refused(`${directory} is a link to ${readlinkSync(directory)}, which is not there`, error);
    if (codeOf(error) === "ENOENT") throw refused(`no directory can be made in ${dirname(directory)}`, error);
    throw refused(diskRefusal(error) ?? `the system refuses (${codeOf(error)})`, error);
  }
}

/** False where that cannot be seen: what makes or removes it says why. */
function isSeen(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
