/** Stable argsort within classes: one scatter by class and the upper bits of the key, then each bucket by itself. */
import { sortPairs } from "./radix";
import { findRange, leastFound, makeSortable, mostFound } from "./sortable";

/** As many upper bits of the key are added to the class as give about this many buckets. */
const BUCKETS: u32 = 4096;
/** Up to this many keys a sort of all is quick, and so is a scatter of what it gave. Index and class are one word then. */
const INDEX_BITS: u32 = 17;
const IN_CACHE: u32 = 1 << INDEX_BITS;
const MOST_CLASSES: u32 = 1 << (32 - INDEX_BITS);

/**
 * `keys` holds n floats and gets the n indices, `offsets` where each class starts (classCount + 1 entries). `buckets`
 * has room for max(classCount, 4096) + 1 u32. Returns false, with nothing sorted, where a class is out of range.
 */
export function argsortWithin(
  keys: usize,
  classes: usize,
  n: u32,
  classCount: u32,
  isDescending: bool,
  pairs: usize,
  temp: usize,
  buckets: usize,
  offsets: usize,
): bool {
  if (n === 0) {
    memory.fill(offsets, 0, (<usize>classCount + 1) << 2);
    return true;
  }
  findRange(classes, n);
  if (mostFound() >= classCount) return false;
  makeSortable(keys, n, isDescending);
  const least = leastFound();
  const bits: u32 = 32 - clz(mostFound() - least);
  if (n <= IN_CACHE && n >> 8 < classCount && classCount <= MOST_CLASSES) {
    makePairs(keys, classes, n, least, pairs);
    findOffsets(classes, n, classCount, buckets, offsets);
    const tagged = classes; // which are done with
    sortPairs(pairs, n, bits, temp, tagged);
    scatterByClass(tagged, n, keys, buckets);
    return true;
  }
  const keyBits = keyBitsOf(n, classCount, bits);
  const shift = bits - keyBits;
  const bucketCount = (<usize>classCount) << keyBits;
  scatterToBuckets(keys, classes, n, least, shift, keyBits, bucketCount, pairs, buckets);

  let start = pairs;
  let indices = keys;
  for (let b: usize = 0; b < bucketCount; b++) {
    if ((b & (((<usize>1) << keyBits) - 1)) === 0)
      store<u32>(offsets + ((b >> keyBits) << 2), <u32>((start - pairs) >> 3));
    const end = <usize>load<u32>(buckets + (b << 2));
    if (end === start) continue;
    const size = <u32>((end - start) >> 3);
    sortPairs(start, size, shift, temp, indices);
    indices += (<usize>size) << 2;
    start = end;
  }
  store<u32>(offsets + ((<usize>classCount) << 2), n);
  return true;
}

function makePairs(keys: usize, classes: usize, n: u32, least: u32, pairs: usize): void {
  for (let i: u32 = 0; i < n; i++) {
    const at = (<usize>i) << 2;
    const tagged = (load<u32>(classes + at) << INDEX_BITS) | i;
    store<u64>(pairs + ((<usize>i) << 3), ((<u64>(load<u32>(keys + at) - least)) << 32) | tagged);
  }
}

/** Where each class starts, in both `next` and `offsets`. */
function findOffsets(classes: usize, n: u32, classCount: u32, next: usize, offsets: usize): void {
  memory.fill(next, 0, (<usize>classCount) << 2);
  for (let i: usize = 0; i < (<usize>n) << 2; i += 4) {
    const slot = next + ((<usize>load<u32>(classes + i)) << 2);
    store<u32>(slot, load<u32>(slot) + 1);
  }
  let start: u32 = 0;
  for (let c: usize = 0; c < <usize>classCount; c++) {
    const size = load<u32>(next + (c << 2));
    store<u32>(offsets + (c << 2), start);
    store<u32>(next + (c << 2), start);
    start += size;
  }
  store<u32>(offsets + ((<usize>classCount) << 2), n);
}

/** Puts indices that are sorted by key, each with its class above it, together by class. */
function scatterByClass(tagged: usize, n: u32, out: usize, next: usize): void {
  for (let i: usize = 0; i < (<usize>n) << 2; i += 4) {
    const word = load<u32>(tagged + i);
    const slot = next + ((<usize>(word >> INDEX_BITS)) << 2);
    const to = load<u32>(slot);
    store<u32>(out + ((<usize>to) << 2), word & (IN_CACHE - 1));
    store<u32>(slot, to + 1);
  }
}

function keyBitsOf(n: u32, classCount: u32, bits: u32): u32 {
  let keyBits: u32 = 0;
  while (keyBits < bits && classCount << (keyBits + 1) <= BUCKETS && n >> (keyBits + 8) >= classCount) keyBits++;
  return keyBits;
}

function scatterToBuckets(
  keys: usize,
  classes: usize,
  n: u32,
  least: u32,
  shift: u32,
  keyBits: u32,
  bucketCount: usize,
  pairs: usize,
  buckets: usize,
): void {
  memory.fill(buckets, 0, bucketCount << 2);
  // A shift by 32 would be one by 0; taken in 64 bits it gives 0, as it should.
  for (let i: usize = 0; i < (<usize>n) << 2; i += 4) {
    const key = load<u32>(keys + i) - least;
    const bucket = ((<usize>load<u32>(classes + i)) << keyBits) | <usize>(<u64>key >> shift);
    const slot = buckets + (bucket << 2);
    store<u32>(slot, load<u32>(slot) + 1);
  }
  let next = pairs;
  for (let b: usize = 0; b < bucketCount; b++) {
    const slot = buckets + (b << 2);
    const count = load<u32>(slot);
    store<u32>(slot, <u32>next);
    next += (<usize>count) << 3;
  }
  for (let i: u32 = 0; i < n; i++) {
    const at = (<usize>i) << 2;
    const key = load<u32>(keys + at) - least;
    const bucket = ((<usize>load<u32>(classes + at)) << keyBits) | <usize>(<u64>key >> shift);
    const slot = buckets + (bucket << 2);
    const to = <usize>load<u32>(slot);
    store<u64>(to, ((<u64>key) << 32) | i);
    store<u32>(slot, <u32>to + 8);
  }
}
