/** Files that their owner alone may read. */
import { closeSync, fstatSync, openSync, readFileSync, statSync } from "node:fs";
import { surroundingsError } from "../errors.js";
import { codeOf } from "./disk-refusal.js";

/** What others may not do with a file: its name for people, its bits, and what takes them away. */
export const NO_READING = { what: "read", bits: 0o077, mend: "chmod 600" } as const;
export const NO_CHANGING = { what: "change", bits: 0o022, mend: "chmod go-w" } as const;
type Use = typeof NO_READING | typeof NO_CHANGING;

/** @throws IbatchError where others may do this with what has such a mode. */
function refuseUse(path: string, mode: number, { what, bits, mend }: Use): void {
  if (process.platform === "win32" || (mode & bits) === 0) return;
  throw surroundingsError(`${path}: others may ${what} it: ${mend} ${path}`);
}

/**
 * Of a directory, if it is there.
 * @throws IbatchError where others may do with it what they must not, or it cannot be looked at.
 */
export function refuseDirectory(path: string, use: Use): void {
  ifThere(path, () => refuseUse(path, statSync(path).mode, use));
}

/**
 * Its text; undefined where there is no such file.
 * @throws IbatchError where others may do with it what they must not, or it cannot be read.
 */
export function readGuarded(path: string, use: Use): string | undefined {
  return ifThere(path, () => {
    const file = openSync(path, "r");
    try {
      refuseUse(path, fstatSync(file).mode, use);
      return readFileSync(file, "utf8");
    } finally {
      closeSync(file);
    }
  });
}

function ifThere<T>(path: string, act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    if (codeOf(error) === undefined) throw error;
    throw surroundingsError(`${path} cannot be read (${codeOf(error)})`, { cause: error });
  }
}
