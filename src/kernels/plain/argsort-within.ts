/** `argsortWithin` as its definition reads: a counting sort by class, then each class by itself. */
import type { Direction } from "../argsort.js";
import { checkClassCount, checkLength, classOutOfRange } from "../checks.js";
import type { Grouped } from "../classes.js";
import { comparison } from "./argsort.js";

export function argsortWithin(
  keys: Readonly<Float32Array>,
  classes: Readonly<Uint32Array>,
  classCount: number,
  direction: Direction = "ascending",
  out: Grouped = { indices: new Uint32Array(keys.length), offsets: new Uint32Array(classCount + 1) },
): Grouped {
  checkClassCount(classCount);
  checkLength("classes", classes.length, keys.length);
  checkLength("out.indices", out.indices.length, keys.length);
  checkLength("out.offsets", out.offsets.length, classCount + 1);
  const { indices, offsets } = out;

  offsets.fill(0);
  for (let i = 0; i < classes.length; i++) {
    if (classes[i] >= classCount) throw classOutOfRange(i, classes[i], classCount);
    offsets[classes[i] + 1]++;
  }
  for (let c = 0; c < classCount; c++) offsets[c + 1] += offsets[c];
  const next = offsets.slice(0, classCount);
  for (let i = 0; i < classes.length; i++) indices[next[classes[i]]++] = i;

  const compare = comparison(keys, direction);
  for (let c = 0; c < classCount; c++) indices.subarray(offsets[c], offsets[c + 1]).sort(compare);
  return out;
}
