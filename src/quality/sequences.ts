/** What is judged: the indices of some epochs of some seeds. */

export interface Sequence {
  readonly seed: number;
  readonly epoch: number;
  readonly indices: Uint32Array;
  /** Batch b is indices[offsets[b] … offsets[b+1]-1]. */
  readonly offsets: Uint32Array;
}

export interface Sequences {
  /** Each index is below. */
  readonly n: number;
  /** Seeds and, within a seed, epochs in ascending order. */
  readonly all: readonly Sequence[];
  /** The class of each of the n samples, where it is known. */
  readonly labels?: Uint32Array | undefined;
}

/** One question to the sequences, and how a uniform shuffle would answer it. */
export interface Test {
  readonly name: string;
  readonly seen: string;
  /** Where 95 % of uniform shuffles are, asked this alone; of counts behind the mean, or the median of a largest. */
  readonly usual: string;
  readonly p: number;
}

/** A question that these sequences are too short, or too few, to answer. */
export interface Skipped {
  readonly name: string;
  readonly why: string;
}

export type Outcome = Test | Skipped;

/** Errors and findings name sequences by it. */
export const nameOf = ({ seed, epoch }: Pick<Sequence, "seed" | "epoch">): string => `epoch ${epoch} of seed ${seed}`;

/** In place of a place: the index was not drawn. */
export const NOT_DRAWN = 2 ** 32 - 1;

/** Where each of the n indices is drawn first. */
export function firstPlaces(indices: Uint32Array, n: number): Uint32Array {
  const places = new Uint32Array(n).fill(NOT_DRAWN);
  for (let at = indices.length - 1; at >= 0; at--) places[indices[at]] = at;
  return places;
}

/** Of an interval of numbers. */
export const between = (low: string | number, high: string | number): string => `${low} … ${high}`;

/** The batch of each place. */
export function batchOfPlaces({ indices, offsets }: Sequence): Uint32Array {
  const batches = new Uint32Array(indices.length);
  for (let batch = 0; batch + 1 < offsets.length; batch++) batches.fill(batch, offsets[batch], offsets[batch + 1]);
  return batches;
}
