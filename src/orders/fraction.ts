/** Training on a share of the samples: what `weighted` and `random-subset` have in common. */
import { z } from "zod";
import type { Random } from "../kernels/random.js";
import { shuffled } from "../kernels/shuffle.js";

export const fractionOption = z
  .number()
  .gt(0)
  .max(1)
  .default(1)
  .describe("share of the samples that an epoch holds, rounded to whole samples and at least one; above 0, at most 1");

/** In the place of an epoch, for random numbers of what is drawn once a run: no epoch has them. */
export const ONCE = 2 ** 32;

/** How many of `count` samples an epoch holds. */
export function sampleSize(fraction: number, count: number): number {
  return Math.max(1, Math.round(fraction * count));
}

/** A uniform sample of m in random sequence, the first part of a shuffle; each is in with chance `inclusion`. */
export function uniformSample(
  eligible: Readonly<Uint32Array>,
  m: number,
  random: Random,
): { indices: Uint32Array; inclusion: Float64Array } {
  const indices = shuffled(eligible, random).slice(0, m);
  return { indices, inclusion: new Float64Array(m).fill(m / eligible.length) };
}
