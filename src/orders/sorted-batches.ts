/** From samples sorted by difficulty to batches: what `loss-global` and `loss-per-class` have in common. */
import { z } from "zod";
import { argsort, type Direction } from "../kernels/argsort.js";
import { consecutive } from "../kernels/consecutive.js";
import type { Random } from "../kernels/random.js";
import { shuffle, shuffled } from "../kernels/shuffle.js";
import { cut, type OrderContext } from "./contract.js";
import { isAnyKnown, SIGNALS, type Signal, signalOf } from "./signal.js";

/** The options of an order that sorts, without those of its own. */
export const sortOptions = {
  by: z
    .enum(SIGNALS)
    .default("loss")
    .describe(
      "what is sorted by; loss: the last one; mean-loss: the exponential mean; margin (high is easy), entropy, el2n: as the ledger has them",
    ),
  first: z
    .enum(["highest", "lowest"])
    .default("highest")
    .describe("which end comes first; samples never seen come last either way"),
  spread: z
    .boolean()
    .default(false)
    .describe(
      "false: a batch holds samples that are next to each other when sorted; true: each batch spans all, dealt like cards",
    ),
  batches: z
    .enum(["sorted", "shuffled"])
    .default("sorted")
    .describe("sequence of the batches among themselves; sorted: as sorted; shuffled: at random, each of its size"),
  jitter: z
    .int()
    .min(0)
    .default(0)
    .describe("noise of the ranks, in places: each rank gets up to so much more before the cut; 0: none"),
};

export interface SortOptions {
  readonly by: Signal;
  readonly first: "highest" | "lowest";
  readonly spread: boolean;
  readonly batches: "sorted" | "shuffled";
  readonly jitter: number;
}

export const directionOf = ({ first }: SortOptions): Direction => (first === "highest" ? "descending" : "ascending");

/** What there is before anything is sorted. */
export interface Unsorted {
  /** The eligible samples, shuffled: chance breaks ties in a stable sort. */
  readonly samples: Uint32Array;
  readonly offsets: Uint32Array;
  /** What `samples` are sorted by, in their sequence; undefined where nothing is known of any. */
  readonly values: Float32Array | undefined;
}

export function unsorted(context: OrderContext<SortOptions>, random: Random): Unsorted {
  const samples = shuffled(context.eligible, random);
  const values = signalOf(context.ledger, context.options.by, samples);
  return {
    samples,
    offsets: cut(samples.length, context.size),
    values: isAnyKnown(values) ? values : undefined,
  };
}

/**
 * Noise within a window: the value at rank r gets r + U[0, jitter), and they are sorted by that. Whoever is `jitter`
 * or more places behind stays behind, so nothing moves by `jitter` places or more. A copy; the same array for 0.
 */
export function jittered(values: Uint32Array, jitter: number, random: Random): Uint32Array {
  if (jitter === 0) return values;
  // In float32, which rounds but never swaps; from 2^24 ranks on the noise is in whole places.
  const keys = new Float32Array(values.length).map((_, rank) => rank + jitter * random.uniform());
  return argsort(keys, "ascending").map((rank) => values[rank]);
}

/** Sorted samples in the batches between these offsets, as `spread` and `batches` say. */
export function arranged(
  sorted: Uint32Array,
  offsets: Readonly<Uint32Array>,
  { spread, batches }: SortOptions,
  random: Random,
): Uint32Array {
  const sequence = consecutive(offsets.length - 1);
  if (batches === "shuffled") shuffle(sequence, random);
  return spread ? dealt(sorted, offsets, sequence, random) : cutInTurn(sorted, offsets, sequence);
}

/**
 * The batches help themselves from the front of the list, in this sequence, each to as many as it holds: whatever
 * the sizes, each batch keeps its own and holds samples that are next to each other in the list.
 */
function cutInTurn(sorted: Uint32Array, offsets: Readonly<Uint32Array>, sequence: Readonly<Uint32Array>): Uint32Array {
  const indices = new Uint32Array(sorted.length);
  let taken = 0;
  for (const batch of sequence) {
    const size = offsets[batch + 1] - offsets[batch];
    indices.set(sorted.subarray(taken, taken + size), offsets[batch]);
    taken += size;
  }
  return indices;
}

/**
 * Each batch gets samples from the whole list: place j of a batch of k is for the quantile (j + ½) / k of it. All
 * places, sorted by quantile and those of one quantile in the given sequence of batches, are filled with the list.
 * For batches of one size that is dealing like cards. Of n samples in B batches the one at place j of a batch of k
 * has a rank (from 0) within B / 2 places of n · (j + ½) / k. At last each batch is shuffled, so that a micro-batch
 * spans all, too.
 */
function dealt(
  sorted: Uint32Array,
  offsets: Readonly<Uint32Array>,
  sequence: Readonly<Uint32Array>,
  random: Random,
): Uint32Array {
  const quantiles = new Float32Array(sorted.length);
  const places = new Uint32Array(sorted.length);
  let filled = 0;
  for (const batch of sequence) {
    const size = offsets[batch + 1] - offsets[batch];
    for (let j = 0; j < size; j++) {
      quantiles[filled] = (j + 0.5) / size;
      places[filled++] = offsets[batch] + j;
    }
  }
  const indices = new Uint32Array(sorted.length);
  const byQuantile = argsort(quantiles, "ascending");
  for (let i = 0; i < byQuantile.length; i++) indices[places[byQuantile[i]]] = sorted[i];
  for (const batch of sequence) shuffle(indices, random, offsets[batch], offsets[batch + 1]);
  return indices;
}
