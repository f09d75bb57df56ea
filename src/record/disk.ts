/** Where a disk that refuses becomes a sentence. */
import { appendFileSync } from "node:fs";
import { surroundingsError } from "../errors.js";

const REASONS: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "the disk is full"],
  ["EDQUOT", "the disk quota is used up"],
  ["EACCES", "no permission"],
  ["EPERM", "the file system does not allow it"],
  ["ENOTSUP", "the file system does not allow it"],
  ["EROFS", "the file system is read-only"],
  ["EEXIST", "there is a file in the way"],
  ["ENOTDIR", "there is a file in the way"],
  ["EISDIR", "there is a directory in the way"],
]);

/** Why the disk refused; undefined for errors of another kind. */
export const diskRefusal = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error ? REASONS.get(String(error.code)) : undefined;

/**
 * Does what writes `path`. Node's own errors do not name the file where the disk fills up while it is written.
 * @throws IbatchError that names it, when the disk refuses.
 */
export function writing<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const reason = diskRefusal(error);
    if (reason === undefined) throw error;
    throw surroundingsError(
      `${reason}: ${path} cannot be written; mend that and give the same command again, or name another --out`,
      { cause: error },
    );
  }
}

/** Adds to the end of a file, on the disk itself when it returns. */
export const append = (path: string, text: string): void =>
  writing(path, () => appendFileSync(path, text, { flush: true }));
