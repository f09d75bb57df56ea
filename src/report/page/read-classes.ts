/** Reads predicted classes, a uint32 a sample. */
import { damage } from "../../record/read-file.js";
import { NOT_SEEN } from "../../record/run-record.js";
import type { RunFiles } from "../../record/verified-files.js";

interface Predicted {
  readonly name: string;
  /** Samples. */
  readonly count: number;
  readonly classes: number;
  /** Whether samples may not have been seen. */
  readonly maySkip: boolean;
}

/** @throws IbatchError when they are not so many, or one is no class. */
export function readClasses(files: RunFiles, { name, count, classes, maySkip }: Predicted): Uint32Array {
  const values = files.u32(name);
  if (values.length !== count) {
    throw files.damaged(name, damage(`it has ${4 * values.length} bytes, ${count} samples need ${4 * count}`));
  }
  const odd = values.find((value) => value >= classes && !(maySkip && value === NOT_SEEN));
  if (odd !== undefined) throw files.damaged(name, damage(`it has a class ${odd}, and there are ${classes}`));
  return values;
}
