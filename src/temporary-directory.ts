/** Directories for what lasts no longer than this process, named so that a later one can tell whose they are. */
import { createHash } from "node:crypto";
import { lstatSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { surroundingsError } from "./errors.js";
import { isRunning, type ProcessIdentity, thisProcess } from "./running-process.js";

/** Bytes of a name at most. */
export const TEMPORARY_NAME_BYTES = 40;

/**
 * Makes one that only this user may enter, and removes those that processes left behind which were killed.
 * @throws IbatchError where none can be made.
 */
export function makeTemporaryDirectory(parent = tmpdir()): string {
  clearLeft(parent);
  const { pid, startTicks = 0, ...counted } = thisProcess();
  try {
    return mkdtempSync(join(parent, `ibatch-${pid}-${placeOf(counted)}-${startTicks.toString(36)}-`));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : error;
    throw surroundingsError(
      code === "ENOENT"
        ? `there is no directory ${parent} for temporary files: make it, or name another one by TMPDIR`
        : `no directory can be made in ${parent} (${code}): mend that, or name another one by TMPDIR`,
      { cause: error },
    );
  }
}

/** What numbers of processes mean here: one boot of one machine, and one namespace of it. */
const placeOf = ({ bootId, pidNamespace }: Omit<ProcessIdentity, "pid">): string =>
  createHash("sha256").update(`${bootId} ${pidNamespace}`).digest("hex").slice(0, 6);

/** Those of other places are left: whether their processes run cannot be asked from here. */
function clearLeft(parent: string): void {
  const place = placeOf(thisProcess());
  for (const name of listed(parent)) {
    const [, pid, where, start] = /^ibatch-(\d+)-([0-9a-f]{6})-([0-9a-z]+)-\w{6}$/.exec(name) ?? [];
    if (pid === undefined || where !== place) continue;
    const startTicks = Number.parseInt(start, 36) || undefined;
    if (!isRunning({ pid: Number(pid), startTicks })) remove(join(parent, name));
  }
}

function listed(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // told where one is to be made
  }
}

/** Another user's is left, also where root could remove it. */
function remove(directory: string): void {
  try {
    if (isOurs(directory)) rmSync(directory, { recursive: true, force: true });
  } catch {}
}

/** Where there are no users' numbers, whatever can be removed is. */
const isOurs = (path: string): boolean => process.getuid === undefined || lstatSync(path).uid === process.getuid();
