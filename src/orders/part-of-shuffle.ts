import { z } from "zod";
import type { PoolContext } from "./contract.js";
import { sampleSize } from "./fraction.js";

export const factorOption = (usual: number) =>
  z
    .int()
    .min(1)
    .max(64)
    .default(usual)
    .describe(
      "candidates for each sample of a batch, 1 … 64: each eligible sample is one once an epoch, and an epoch draws 1/factor of them",
    );

/** The share of the samples that an epoch draws. */
export const shareOf = (factor: number): number => 1 / factor;

/**
 * The candidates of a batch: its part of the epoch's shuffle, `factor` for each of its samples; of the epoch's last batch
 * all that are left, at least as many as it holds.
 */
export function partOfShuffle(
  { shuffle, first, count }: Pick<PoolContext<unknown>, "shuffle" | "first" | "count">,
  factor: number,
): Uint32Array {
  const isLast = first + count === sampleSize(shareOf(factor), shuffle.length);
  return shuffle.slice(first * factor, isLast ? shuffle.length : (first + count) * factor);
}
