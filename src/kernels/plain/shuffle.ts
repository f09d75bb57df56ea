/** `shuffled`, the same algorithm as the fast form's, one value after another. */
import { checkLength } from "../checks.js";
import { multiplyHigh } from "../philox.js";
import type { Random } from "../random.js";
import { BulkWords } from "./bulk-words.js";

/** Up to this many places two of them are drawn from one word; above, drawing again would come too often. */
const PAIRS_UP_TO = 2 ** 14;

/** A few values are one bucket; many have 32, which the fast form scatters quicker to. */
export function bucketCountOf(n: number): number {
  if (n < 256) return 1;
  return n < 2 ** 21 ? 64 : 32;
}

export function shuffled(
  values: Readonly<Uint32Array>,
  random: Random,
  out = new Uint32Array(values.length),
): Uint32Array {
  checkLength("out", out.length, values.length);
  const words = new BulkWords(random.bulk());
  const n = values.length;
  const bucketCount = bucketCountOf(n);
  if (bucketCount === 1) {
    out.set(values);
    fisherYates(out, words);
    return out;
  }

  // Rao 1961, Sandelius 1962: each value into a bucket of its own choice, then each bucket shuffled.
  const buckets = new Uint8Array(n);
  const ends = new Uint32Array(bucketCount + 1);
  for (let i = 0, word = 0; i < n; i++) {
    word = i % 4 === 0 ? words.next() : word >>> 8;
    buckets[i] = word & (bucketCount - 1);
    ends[buckets[i] + 1]++;
  }
  for (let b = 0; b < bucketCount; b++) ends[b + 1] += ends[b];
  const next = ends.slice(0, bucketCount);
  const source = values.slice(); // `out` may be `values`
  for (let i = 0; i < n; i++) out[next[buckets[i]]++] = source[i];

  words.skipToGroup();
  for (let b = 0; b < bucketCount; b++) fisherYates(out.subarray(ends[b], ends[b + 1]), words);
  return out;
}

/** In place. Two places from a word where they fit: Brackett-Rozinsky and Lemire 2024. */
function fisherYates(values: Uint32Array, words: BulkWords): void {
  let size = values.length;
  for (; size > PAIRS_UP_TO; size--) swap(values, size - 1, below(words, size));
  for (; size > 1; size -= 2) {
    const product = size * (size - 1);
    let first: number;
    let second: number;
    let rest: number;
    do {
      const word = words.next();
      first = multiplyHigh(word, size);
      const left = Math.imul(word, size) >>> 0;
      second = multiplyHigh(left, size - 1);
      rest = Math.imul(left, size - 1) >>> 0;
      // The few words that would favour some pairs are drawn again.
    } while (rest < product && rest < 2 ** 32 % product);
    swap(values, size - 1, first);
    swap(values, size - 2, second);
  }
}

/** Lemire 2019, as in random.ts. */
function below(words: BulkWords, bound: number): number {
  for (;;) {
    const word = words.next();
    const rest = Math.imul(word, bound) >>> 0;
    if (rest >= bound || rest >= 2 ** 32 % bound) return multiplyHigh(word, bound);
  }
}

function swap(values: Uint32Array, i: number, j: number): void {
  const value = values[i];
  values[i] = values[j];
  values[j] = value;
}
