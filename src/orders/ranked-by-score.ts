/** What orders that read runs recorded earlier have in common. */
import { argsort, type Direction } from "../kernels/argsort.js";
import { shuffled } from "../kernels/shuffle.js";
import { cut, type OrderContext, type OrderResult } from "./contract.js";
import { ONCE, sampleSize } from "./fraction.js";

/**
 * The eligible samples by their scores, the same in every epoch: chance breaks ties, a function of the seed, and those of which
 * nothing is known come last.
 * @throws Error where there are no scores, because nobody says where they come from.
 */
export function rankedByScore(
  { eligible, scores, random }: Pick<OrderContext<unknown>, "eligible" | "scores" | "random">,
  direction: Direction,
): Uint32Array {
  if (scores === undefined)
    throw new Error("there are no scores of runs recorded earlier, expected one value a sample");
  const mixed = shuffled(eligible, random("order", ONCE));
  const values = new Float32Array(mixed.length);
  for (let i = 0; i < mixed.length; i++) values[i] = scores[mixed[i]];
  return argsort(values, direction).map((place) => mixed[place]);
}

/** The first samples by their scores, behind so many that are skipped (fewer where too few would be left); shuffled in each epoch. */
export function keptPart(
  context: OrderContext<{ readonly fraction: number }>,
  direction: Direction,
  skipped = 0,
): OrderResult {
  const { options, eligible, random, size } = context;
  const m = sampleSize(options.fraction, eligible.length);
  const first = Math.min(skipped, eligible.length - m);
  const kept = rankedByScore(context, direction).subarray(first, first + m);
  return { indices: shuffled(kept, random("order")), offsets: cut(m, size) };
}
