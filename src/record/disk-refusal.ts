/** Why a disk refuses, in words. */

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

export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error ? String(error.code) : undefined;
