/** Where a disk that refuses becomes a sentence. */
import { appendFileSync, closeSync, fsyncSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { IbatchError } from "../errors.js";

const REASONS: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "the disk is full"],
  ["EDQUOT", "the disk quota is used up"],
  ["EFBIG", "the file grows too large for the file system"],
  ["EACCES", "no permission"],
  ["EPERM", "the file system does not allow it"],
  ["ENOTSUP", "the file system does not allow it"],
  ["EROFS", "the file system is read-only"],
  ["EEXIST", "there is a file in the way"],
  ["ENOTDIR", "there is a file in the way"],
  ["EISDIR", "there is a directory in the way"],
  ["ENOTEMPTY", "there is a directory in the way"],
  ["ELOOP", "links there lead in a circle"],
  ["ENAMETOOLONG", "the name is too long"],
  ["EMFILE", "too many files are open (raise `ulimit -n`)"],
  ["ENFILE", "too many files are open on this machine"],
  ["EIO", "the disk fails (EIO)"],
]);

/** Why the disk refused; undefined for errors that may be anything's. */
export const diskRefusal = (error: unknown): string | undefined => REASONS.get(codeOf(error) ?? "");

/** As `diskRefusal`, of what was certainly a file's: whatever the system says. */
function refusal(error: unknown): string | undefined {
  const code = codeOf(error);
  if (code === "ENOENT") return "its directory is gone, or cannot hold it";
  return diskRefusal(error) ?? (isSystemError(error) ? `the system refuses (${code})` : undefined);
}

export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error ? String(error.code) : undefined;

const isSystemError = (error: unknown): boolean => error instanceof Error && "syscall" in error;

/**
 * Does what writes `path`. Node's own errors do not name the file where the disk fills up while it is written.
 * @param option by which the user names another place.
 * @throws IbatchError that names it, when the disk refuses.
 */
export function writing<T>(path: string, act: () => T, option = "--out"): T {
  try {
    return act();
  } catch (error) {
    const reason = refusal(error);
    if (reason === undefined) throw error;
    throw cannotWrite(path, { reason, option, cause: error });
  }
}

interface Refused {
  readonly reason: string;
  readonly option: string;
  readonly cause: unknown;
}

export const cannotWrite = (path: string, { reason, option, cause }: Refused): IbatchError =>
  new IbatchError(
    codeOf(cause) === "ENAMETOOLONG" ? "usage" : "surroundings",
    `${reason}: ${path} cannot be written; mend that and give the same command again, or name another ${option}`,
    { cause },
  );

/** Adds to the end of a file, on the disk itself when it returns. */
export const append = (path: string, text: string): void =>
  writing(path, () => appendFileSync(path, text, { flush: true }));

/** What was renamed or removed in this path's directory is so on the disk itself, where the file system can say so. */
export function flushNames(path: string): void {
  let directory: number | undefined;
  try {
    directory = openSync(dirname(path), "r");
    fsyncSync(directory);
  } catch {
    // Windows and some network file systems do not open directories
  } finally {
    if (directory !== undefined) closeSync(directory);
  }
}
