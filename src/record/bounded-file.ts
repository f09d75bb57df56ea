import { closeSync, openSync, readSync } from "node:fs";

/**
 * The file's bytes, whatever it is: a pipe, or a device without an end. Undefined where there are more than `limit`,
 * of which no more are read. Throws the system's own errors.
 */
export function readUpTo(path: string, limit: number): Buffer | undefined {
  const buffer = Buffer.alloc(limit + 1);
  const file = openSync(path, "r");
  try {
    let length = 0;
    while (length < buffer.length) {
      const read = readSync(file, buffer, length, buffer.length - length, null);
      if (read === 0) return buffer.subarray(0, length);
      length += read;
    }
    return undefined;
  } finally {
    closeSync(file);
  }
}
