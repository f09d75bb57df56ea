/** Writes files. What is written whole is on the disk itself, or not at all. */
import { randomBytes } from "node:crypto";
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { IbatchError } from "../errors.js";
import { exactJson } from "../exact-json.js";
import { codeOf, diskRefusal } from "./disk-refusal.js";

/** As `diskRefusal`, of what was certainly a file's: whatever the system says. */
function refusal(error: unknown): string | undefined {
  const code = codeOf(error);
  if (code === "ENOENT") return "its directory is gone, or cannot hold it";
  return diskRefusal(error) ?? (isSystemError(error) ? `the system refuses (${code})` : undefined);
}

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
  new CannotWrite(`${reason}: ${path} cannot be written`, option, cause);

/** `what`: what was seen, for one who goes on without; the message says what to do, too. */
export class CannotWrite extends IbatchError {
  constructor(
    readonly what: string,
    option: string,
    cause: unknown,
  ) {
    const kind = codeOf(cause) === "ENAMETOOLONG" ? "usage" : "surroundings";
    super(kind, `${what}; mend that and give the same command again, or name another ${option}`, { cause });
  }
}

/** Adds to the end of a file, on the disk itself when it returns. */
export const append = (path: string, text: string): void =>
  writing(path, () => appendFileSync(path, text, { flush: true }));

/** As `append`, of what can be written again: on the disk itself when the system sees to it. */
export const appendSoon = (path: string, bytes: Uint8Array): void => writing(path, () => appendFileSync(path, bytes));

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

/** Ends the name of a file that is being written. */
export const PARTIAL = ".partial";

/** Writes a file whole or not at all: under a temporary name, then renamed. It is on the disk itself when this returns. */
export function writeWhole(path: string, data: string | Uint8Array): void {
  const temporary = `${path}${PARTIAL}`;
  writing(path, () => {
    try {
      writeFileSync(temporary, data, { flush: true });
      renameSync(temporary, path);
      flushNames(path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  });
}

interface Added {
  readonly mode: number;
  /** By which the user names another place. */
  readonly option: string;
}

/**
 * Writes a file whole where there is none of that name, and says whether that was so: never over another one, also where
 * several do it at the same time.
 */
export function addWhole(path: string, data: string, { mode, option }: Added): boolean {
  if (existsSync(path)) return false;
  const temporary = `${path}.${randomBytes(8).toString("hex")}${PARTIAL}`; // in containers all of us may be process 1
  return writing(
    path,
    () => {
      try {
        writeFileSync(temporary, data, { mode, flag: "wx", flush: true });
        linkSync(temporary, path);
        flushNames(path);
        return true;
      } catch (error) {
        if (codeOf(error) === "EEXIST") return false;
        throw error;
      } finally {
        rmSync(temporary, { force: true });
      }
    },
    option,
  );
}

/** JSON as a person would lay it out, with the newline at the end. What is not finite stands in it as a string. */
export const wholeJson = (value: unknown): string => `${exactJson(value, { indent: 2, nonFinite: "quoted" })}\n`;

export const writeWholeJson = (path: string, value: unknown): void => writeWhole(path, wholeJson(value));

/** A value as it comes back from a record, where 1.0 is 1 again. */
export const asRecorded = (value: unknown): unknown => JSON.parse(exactJson(value, { nonFinite: "quoted" }));

/** Arrays lie on disk as in memory: raw, and little-endian on every machine that we run on. */
export const bytesOf = (array: NodeJS.TypedArray): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
