import type { Direction } from "./argsort.js";
import { checkClassCount, checkLength, classOutOfRange } from "./checks.js";
import type { Grouped } from "./classes.js";
import { copyIn, copyOut, fastKernels, layOut } from "./module.js";

/** assembly/argsort-within.ts splits classes until there are about this many buckets. */
const BUCKETS = 4096;

/**
 * The samples class after class, those of each class in the order of their keys (as `argsort` puts them).
 *
 * @param classes the class of each sample, of the keys' length; one that is not below `classCount` is a RangeError
 * @param out indices of the keys' length, offsets of length classCount + 1
 */
export function argsortWithin(
  keys: Readonly<Float32Array>,
  classes: Readonly<Uint32Array>,
  classCount: number,
  direction: Direction = "ascending",
  out: Grouped = { indices: new Uint32Array(keys.length), offsets: new Uint32Array(classCount + 1) },
): Grouped {
  const n = keys.length;
  checkClassCount(classCount);
  checkLength("classes", classes.length, n);
  checkLength("out.indices", out.indices.length, n);
  checkLength("out.offsets", out.offsets.length, classCount + 1);

  const kernels = fastKernels();
  const tableBytes = 4 * (Math.max(classCount, BUCKETS) + 1);
  const [at, classesAt, pairs, temp, buckets, offsets] = layOut(
    kernels,
    4 * n,
    4 * n,
    8 * n,
    8 * n,
    tableBytes,
    4 * (classCount + 1),
  );
  copyIn(kernels, at, keys);
  copyIn(kernels, classesAt, classes);
  const isDescending = Number(direction === "descending");
  if (!kernels.argsortWithin(at, classesAt, n, classCount, isDescending, pairs, temp, buckets, offsets)) {
    const sample = classes.findIndex((label) => label >= classCount);
    throw classOutOfRange(sample, classes[sample], classCount);
  }
  copyOut(kernels, at, out.indices);
  copyOut(kernels, offsets, out.offsets);
  return out;
}
