/** Reads predicted classes, a uint32 a sample. */
import { readFileSync } from "node:fs";
import { usageError } from "../../errors.js";
import { NOT_SEEN } from "../../record/run-record.js";

/** @throws IbatchError when they are not so many, or one is no class. */
export function readClasses(path: string, { count, classes }: { count: number; classes: number }): Uint32Array {
  const bytes = readFileSync(path);
  if (bytes.byteLength !== 4 * count) {
    throw usageError(`${path} is damaged: it has ${bytes.byteLength} bytes, ${count} samples need ${4 * count}`);
  }
  const values = new Uint32Array(new Uint8Array(bytes).buffer);
  const odd = values.find((value) => value >= classes && value !== NOT_SEEN);
  if (odd !== undefined) throw usageError(`${path} is damaged: it has a class ${odd}, and there are ${classes}`);
  return values;
}
