import { checkLength } from "./checks.js";
import { copyIn, copyOut, fastKernels, layOut, placeOf } from "./module.js";
import type { Random } from "./random.js";

/**
 * Fisher–Yates in place on values[start … end-1]: every sequence of them is equally likely. For small parts; a whole
 * array is shuffled faster by `shuffled`.
 */
export function shuffle(values: Uint32Array, random: Random, start = 0, end = values.length): void {
  for (let last = end - 1; last > start; last--) {
    const chosen = start + random.below(last - start + 1);
    const value = values[last];
    values[last] = values[chosen];
    values[chosen] = value;
  }
}

/**
 * A shuffled copy, into `out` (of the same length; `values` itself will do) where given: every sequence is equally
 * likely. Takes one bulk call from `random`; its bits are not those of `shuffle`.
 *
 * Values choose one of 64 buckets each (32 where they are many) and the buckets are shuffled by Fisher–Yates in cache (Rao 1961, Sandelius
 * 1962).
 */
export function shuffled(
  values: Readonly<Uint32Array>,
  random: Random,
  out = new Uint32Array(values.length),
): Uint32Array {
  const n = values.length;
  checkLength("out", out.length, n);
  const kernels = fastKernels();
  const [at, shuffledAt, choices] = layOut(kernels, 4 * n, 4 * n, n);
  copyIn(kernels, at, values);
  kernels.shuffled(at, n, shuffledAt, choices, ...placeOf(random.bulk()));
  copyOut(kernels, shuffledAt, out);
  return out;
}
