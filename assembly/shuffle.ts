/**
 * An unbiased shuffle by buckets: see src/kernels/plain/shuffle.ts, which takes the same words in the same sequence.
 *
 * Called in steps, so that values come in and go out by the piece, while these are in the cache: `startShuffle`, then
 * `scatterPiece` of all values, then `shuffleBucket` of each bucket in turn.
 */
import { fillWords, GROUP_BYTES, setPlace } from "./philox";

const PAIRS_UP_TO: u32 = 1 << 14;
/** Where the next value of each bucket goes; of at most 64. */
const ends = memory.data(4 * 64);

/** Random words, made a chunk at a time; those from `word` to `wordsEnd` are still to be taken. */
const CHUNK_GROUPS: u32 = 64;
const words = memory.data(64 * 64);
let word: usize = words;
let wordsEnd: usize = words;
let group: u32 = 0;
let chunkGroups: u32 = CHUNK_GROUPS;

let bucketsAt: usize = 0;
let bucketBytes: usize = 0;
let bucketCount: usize = 0;

/** For n values into `count` buckets, bucket b at `at + b · bytes`. One bucket takes them as they are, without words. */
export function startShuffle(
  n: u32,
  count: u32,
  at: usize,
  bytes: usize,
  tag: u32,
  atLow: u32,
  atHigh: u32,
  key0: u32,
  key1: u32,
): void {
  setPlace(tag, atLow, atHigh, key0, key1);
  for (let b: usize = 0; b < <usize>count; b++) store<u32>(ends + (b << 2), <u32>(at + b * bytes));
  bucketsAt = at;
  bucketBytes = bytes;
  bucketCount = count;
  group = 0;
  // Few values are not worth a whole chunk.
  chunkGroups = min(CHUNK_GROUPS, (((n >> 4) + 1) | 1) + 1);
  word = words;
  wordsEnd = words;
}

/**
 * The next n values, a multiple of 4096 of them but at the last call. Every bucket has room for all of them; false where
 * one has no room for as many once more, when all is to be done again with larger buckets.
 */
export function scatterPiece(values: usize, n: u32): bool {
  if (bucketCount === 1) {
    memory.copy(bucketsAt, values, (<usize>n) << 2);
    store<u32>(ends, <u32>bucketsAt + (n << 2));
    return true;
  }
  const mask = (bucketCount - 1) << 2;
  const end = values + ((<usize>n) << 2);
  while (values < end) {
    const size = min(end - values, <usize>CHUNK_GROUPS * GROUP_BYTES * 4);
    const groups = <u32>((size + 255) >> 8); // a byte a value
    fillWords(words, group, groups);
    group += groups;
    const stop = values + (size & ~15);
    let choices = words;
    for (; values < stop; values += 16) {
      const four = <usize>load<u32>(choices);
      append(ends + ((four << 2) & mask), load<u32>(values));
      append(ends + ((four >> 6) & mask), load<u32>(values, 4));
      append(ends + ((four >> 14) & mask), load<u32>(values, 8));
      append(ends + ((four >> 22) & mask), load<u32>(values, 12));
      choices += 4;
    }
    for (const last = values + (size & 15); values < last; values += 4) {
      append(ends + (((<usize>load<u8>(choices)) << 2) & mask), load<u32>(values));
      choices++;
    }
  }
  for (let b: usize = 0; b < bucketCount; b++) {
    if (<usize>load<u32>(ends + (b << 2)) + ((<usize>n) << 2) > bucketsAt + (b + 1) * bucketBytes) return false;
  }
  return true;
}

function append(slot: usize, value: u32): void {
  const to = <usize>load<u32>(slot);
  store<u32>(to, value);
  store<u32>(slot, <u32>to + 4);
}

/** Fisher–Yates; returns how many values there are in the bucket. */
export function shuffleBucket(b: u32): u32 {
  const start = bucketsAt + <usize>b * bucketBytes;
  const size = (load<u32>(ends + ((<usize>b) << 2)) - <u32>start) >> 2;
  shufflePairs(start, shuffleSingles(start, size));
  return size;
}

/** Draws a place a word for as long as two do not fit; returns how many values are left. */
function shuffleSingles(start: usize, n: u32): u32 {
  let size = <u64>n;
  while (size > PAIRS_UP_TO) {
    if (word === wordsEnd) makeWords();
    let at = word;
    // No word is missing on the way down to `stop`, and each that is drawn again puts it up.
    let stop = size - min<u64>(size - PAIRS_UP_TO, (wordsEnd - at) >> 2);
    while (size > stop) {
      const product = <u64>load<u32>(at) * size;
      at += 4;
      if (<u32>product < <u32>size && <u32>product < (0 - <u32>size) % <u32>size) {
        stop++;
        continue;
      }
      size--;
      swap(start + ((<usize>size) << 2), start + ((<usize>(product >> 32)) << 2));
    }
    word = at;
  }
  return <u32>size;
}

/** The same with two places a word. */
function shufflePairs(start: usize, n: u32): void {
  let size = <u64>n;
  while (size > 1) {
    if (word === wordsEnd) makeWords();
    let at = word;
    const most = <u64>(wordsEnd - at) >> 1;
    let stop = size > most ? size - most : 1;
    while (size > stop) {
      const less = size - 1;
      const both = <u32>(size * less);
      const first = <u64>load<u32>(at) * size;
      const second = (first & 0xffffffff) * less;
      at += 4;
      if (<u32>second < both && <u32>second < (0 - both) % both) {
        stop += 2;
        continue;
      }
      const last = start + ((<usize>less) << 2);
      swap(last, start + ((<usize>(first >> 32)) << 2));
      swap(last - 4, start + ((<usize>(second >> 32)) << 2));
      size -= 2;
    }
    word = at;
  }
}

function makeWords(): void {
  fillWords(words, group, chunkGroups);
  group += chunkGroups;
  word = words;
  wordsEnd = words + <usize>chunkGroups * GROUP_BYTES;
}

function swap(a: usize, b: usize): void {
  const value = load<u32>(a);
  store<u32>(a, load<u32>(b));
  store<u32>(b, value);
}
