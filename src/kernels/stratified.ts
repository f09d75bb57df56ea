import { groupByClass } from "./classes.js";
import type { Random } from "./random.js";
import { proportionalShares } from "./shares.js";
import { shuffle } from "./shuffle.js";

/**
 * `size` of the indices, ascending. Each class gives floor or ceil of its share, size · count / all; which of its
 * members is left to chance, and so is which classes get the ceil.
 */
export function stratifiedSample(
  indices: Readonly<Uint32Array>,
  labels: Readonly<Uint32Array>,
  classCount: number,
  size: number,
  random: Random,
): Uint32Array {
  const total = indices.length;
  if (!Number.isInteger(size) || size < 0 || size > total) {
    throw new RangeError(`cannot choose ${size} of ${total} samples`);
  }
  const sample = new Uint32Array(size);
  if (size === 0) return sample;

  const { indices: members, offsets } = groupByClass(indices, labels, classCount);
  const counts = new Uint32Array(classCount);
  const sequence = new Uint32Array(classCount);
  for (let c = 0; c < classCount; c++) {
    counts[c] = offsets[c + 1] - offsets[c];
    sequence[c] = c;
  }
  shuffle(sequence, random);
  const shares = proportionalShares(counts, sequence, size, random.below(total), new Uint32Array(classCount));

  let filled = 0;
  for (let c = 0; c < classCount; c++) {
    shuffle(members, random, offsets[c], offsets[c + 1]);
    for (let i = 0; i < shares[c]; i++) sample[filled++] = members[offsets[c] + i];
  }
  return sample.sort();
}
