import type { Direction } from "./argsort.js";
import { checkCount, checkLength } from "./checks.js";
import { copyIn, copyOut, fastKernels, layOut } from "./module.js";

/**
 * The first k indices of `argsort(keys, direction)`, exactly those and in that sequence, into `out` (of length k).
 * k is an integer from 0 to the number of keys, else a RangeError.
 */
export function topK(keys: Readonly<Float32Array>, k: number, direction: Direction, out?: Uint32Array): Uint32Array {
  const n = keys.length;
  checkCount(k, n);
  const chosen = out ?? new Uint32Array(k);
  checkLength("out", chosen.length, k);
  const kernels = fastKernels();
  const [at, pairs, temp, indices] = layOut(kernels, 4 * n, 8 * n, 8 * n, 4 * n);
  copyIn(kernels, at, keys);
  kernels.topK(at, n, k, Number(direction === "descending"), pairs, temp, indices);
  copyOut(kernels, indices, chosen);
  return chosen;
}
