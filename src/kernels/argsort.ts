import { checkLength } from "./checks.js";
import { copyIn, copyOut, fastKernels, layOut } from "./module.js";

export type Direction = "ascending" | "descending";

/**
 * The indices of `keys` in the order of their keys, into `out` (of the same length).
 *
 * Stable in both directions: equal keys stay in the order of their indices. NaN comes last in both, −0 equals 0,
 * infinities and denormals are in their places.
 */
export function argsort(
  keys: Readonly<Float32Array>,
  direction: Direction = "ascending",
  out = new Uint32Array(keys.length),
): Uint32Array {
  const n = keys.length;
  checkLength("out", out.length, n);
  const kernels = fastKernels();
  const [at, pairs, temp] = layOut(kernels, 4 * n, 8 * n, 8 * n);
  copyIn(kernels, at, keys);
  kernels.argsort(at, n, Number(direction === "descending"), pairs, temp);
  copyOut(kernels, at, out);
  return out;
}
