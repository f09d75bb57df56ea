/** What orders have in common that choose each batch from its own part of the epoch's shuffle. */
import { z } from "zod";
import type { Coverage, PoolContext } from "./contract.js";
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

interface Factor {
  readonly factor: number;
}

const epochShare = ({ factor }: Factor): number => 1 / factor;

/**
 * The candidates of a batch: its part of the epoch's shuffle, `factor` for each of its samples; of the epoch's last batch
 * all that are left, at least as many as it holds.
 */
export function partOfShuffle(
  { shuffle, first, count }: Pick<PoolContext<unknown>, "shuffle" | "first" | "count">,
  factor: number,
): Uint32Array {
  const isLast = first + count === sampleSize(epochShare({ factor }), shuffle.length);
  return shuffle.slice(first * factor, isLast ? shuffle.length : (first + count) * factor);
}

/** They declare so: with factor 1 each is order shuffled. */
export const PART_OF_SHUFFLE = {
  coverage: ({ factor }: Factor): Coverage => (factor === 1 ? "each-once" : "at-most-once"),
  epochShare,
  changesObjective: ({ factor }: Factor): boolean => factor > 1,
  changesEachEpoch: () => true,
  dependsOnSeed: () => true,
  unknownProbabilities: true,
  candidates: (context: PoolContext<Factor>): Uint32Array => partOfShuffle(context, context.options.factor),
  candidatesPerSample: ({ factor }: Factor): number => factor,
};
