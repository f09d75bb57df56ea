/**
 * Stable argsort of floats.
 *
 * The distance of each key from the least one is what is sorted, so that only the bits in use take passes. Many keys
 * are first scattered by their upper bits, so that what is left to sort in each bucket fits in the cache.
 */
import { sortPairs } from "./radix";
import { findRange, leastFound, makeSortable, mostFound } from "./sortable";

/** Up to this many keys fit in the cache as they are. */
const IN_CACHE: u32 = 1 << 17;
const MOST_BUCKET_BITS: u32 = 12;
/** Buckets of more pairs than this are split by so many bits more. */
const SPLIT_ABOVE: u32 = 1 << 15;
const SPLIT_BITS: u32 = 6;
const parts = memory.data(4 << 6);
/**
 * From this many keys on the first scatter too is one into few buckets: it writes to as many pages as there are
 * buckets, and with more than the processor keeps addresses of it takes three times as long.
 */
const MANY: u32 = 1 << 22;
/** What is counted in the buckets, then where the next pair of each goes. */
const buckets = memory.data(4 << 12);

/** `keys` holds n floats and gets the n indices; `pairs` and `temp` have room for n u64 each. */
export function argsort(keys: usize, n: u32, isDescending: bool, pairs: usize, temp: usize): void {
  if (n === 0) return;
  makeSortable(keys, n, isDescending);
  argsortFound(keys, n, pairs, temp, keys);
}

/** The same of unsigned integers. `out` may be `keys`. */
export function argsortSortable(keys: usize, n: u32, pairs: usize, temp: usize, out: usize): void {
  if (n === 0) return;
  findRange(keys, n);
  argsortFound(keys, n, pairs, temp, out);
}

/** The same, with their range just found. */
export function argsortFound(keys: usize, n: u32, pairs: usize, temp: usize, out: usize): void {
  const least = leastFound();
  const bits: u32 = 32 - clz(mostFound() - least);
  if (n <= IN_CACHE || bits <= MOST_BUCKET_BITS) {
    makePairs(keys, n, least, pairs);
    sortPairs(pairs, n, bits, temp, out);
    return;
  }
  const bucketBits = n < MANY ? min<u32>(MOST_BUCKET_BITS, 32 - clz(n >> 10)) : SPLIT_BITS;
  const shift = bits - bucketBits;
  scatterToBuckets(keys, n, least, shift, bucketBits, pairs);
  // After the scatter each table entry is where its bucket ends.
  let start = pairs;
  let indices = out;
  for (let b: usize = 0; b < (<usize>1) << bucketBits; b++) {
    const end = <usize>load<u32>(buckets + (b << 2));
    if (end === start) continue;
    const size = <u32>((end - start) >> 3);
    sortBucket(start, size, shift, temp, indices);
    indices += (<usize>size) << 2;
    start = end;
  }
}

/** A bucket that is still too large for the cache is scattered once more, into `temp`. */
function sortBucket(pairs: usize, n: u32, bits: u32, temp: usize, out: usize): void {
  if (n <= SPLIT_ABOVE || bits <= SPLIT_BITS) {
    sortPairs(pairs, n, bits, temp, out);
    return;
  }
  const shift = bits - SPLIT_BITS;
  const digit = <u64>(32 + shift - 2); // the table's entries have 4 bytes
  const mask: usize = ((1 << SPLIT_BITS) - 1) << 2;
  memory.fill(parts, 0, (<usize>4) << SPLIT_BITS);
  const pairsEnd = pairs + ((<usize>n) << 3);
  for (let at = pairs; at < pairsEnd; at += 8) {
    const slot = parts + (<usize>(load<u64>(at) >> digit) & mask);
    store<u32>(slot, load<u32>(slot) + 1);
  }
  let next = temp;
  for (let b: usize = 0; b < (<usize>1) << SPLIT_BITS; b++) {
    const slot = parts + (b << 2);
    const count = load<u32>(slot);
    store<u32>(slot, <u32>next);
    next += (<usize>count) << 3;
  }
  for (let at = pairs; at < pairsEnd; at += 8) {
    const pair = load<u64>(at);
    const slot = parts + (<usize>(pair >> digit) & mask);
    const to = <usize>load<u32>(slot);
    store<u64>(to, pair);
    store<u32>(slot, <u32>to + 8);
  }
  let start = temp;
  for (let b: usize = 0; b < (<usize>1) << SPLIT_BITS; b++) {
    const end = <usize>load<u32>(parts + (b << 2));
    if (end === start) continue;
    const size = <u32>((end - start) >> 3);
    sortPairs(start, size, shift, pairs, out);
    out += (<usize>size) << 2;
    start = end;
  }
}

function makePairs(keys: usize, n: u32, least: u32, pairs: usize): void {
  for (let i: u32 = 0; i < n; i++) {
    const key = load<u32>(keys + ((<usize>i) << 2)) - least;
    store<u64>(pairs + ((<usize>i) << 3), ((<u64>key) << 32) | i);
  }
}

function scatterToBuckets(keys: usize, n: u32, least: u32, shift: u32, bucketBits: u32, pairs: usize): void {
  memory.fill(buckets, 0, (<usize>4) << bucketBits);
  const end = keys + ((<usize>n) << 2);
  for (let at = keys; at < end; at += 4) {
    const slot = buckets + ((<usize>((load<u32>(at) - least) >> shift)) << 2);
    store<u32>(slot, load<u32>(slot) + 1);
  }
  let next = pairs;
  for (let b: usize = 0; b < (<usize>1) << bucketBits; b++) {
    const slot = buckets + (b << 2);
    const count = load<u32>(slot);
    store<u32>(slot, <u32>next);
    next += (<usize>count) << 3;
  }
  for (let i: u32 = 0; i < n; i++) {
    const key = load<u32>(keys + ((<usize>i) << 2)) - least;
    const slot = buckets + ((<usize>(key >> shift)) << 2);
    const to = <usize>load<u32>(slot);
    store<u64>(to, ((<u64>key) << 32) | i);
    store<u32>(slot, <u32>to + 8);
  }
}
