/** `log.txt`: what happened, line by line with the time, in bounded space. */
import { renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { exclusively } from "./exclusively.js";
import { LOG, OLDER_LOG } from "./experiment-files.js";
import { append, writing } from "./write-file.js";

/** Bytes from which on a log is begun anew. */
const LOG_LIMIT_BYTES = 32 * 2 ** 20;

interface LogOptions {
  readonly limitBytes?: number;
  /** Keeps other commands out meanwhile. */
  alone?(act: () => void): void;
}

/** On the disk itself when it returns. Where the log has grown too long it becomes the older one, in place of that. */
export function appendToLog(
  directory: string,
  lines: readonly string[],
  { limitBytes = LOG_LIMIT_BYTES, alone = (act) => exclusively(directory, act) }: LogOptions = {},
): void {
  const path = join(directory, LOG);
  const isTooLong = () => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) >= limitBytes;
  if (isTooLong()) {
    alone(() => {
      if (isTooLong()) writing(path, () => renameSync(path, join(directory, OLDER_LOG))); // else another has done it
    });
  }
  const time = new Date().toISOString();
  append(path, lines.map((line) => `${time} ${line}\n`).join(""));
}
