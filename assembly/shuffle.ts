/** An unbiased shuffle by buckets: see src/kernels/plain/shuffle.ts, which takes the same words in the same sequence. */
import { fillWords, GROUP_BYTES, setPlace } from "./philox";

const SEVERAL_BUCKETS_FROM: u32 = 256;
const PAIRS_UP_TO: u32 = 1 << 14;
/**
 * 64 buckets, or 32 of many values: a scatter writes to as many pages as there are buckets, and with more than the
 * processor keeps addresses of it takes three times as long.
 */
const MANY: u32 = 1 << 21;
const buckets = memory.data(4 * 64);

/** Random words for Fisher–Yates, made a chunk at a time. */
const CHUNK_GROUPS: u32 = 64;
const words = memory.data(64 * 64);

/** Shuffles n values into `out`. `choices` has room for n bytes, up to a multiple of 64. */
export function shuffled(
  values: usize,
  n: u32,
  out: usize,
  choices: usize,
  tag: u32,
  atLow: u32,
  atHigh: u32,
  key0: u32,
  key1: u32,
): void {
  setPlace(tag, atLow, atHigh, key0, key1);
  if (n < SEVERAL_BUCKETS_FROM) {
    memory.copy(out, values, (<usize>n) << 2);
    store<u32>(buckets, <u32>out + (n << 2));
    shuffleBuckets(out, 1, 0, n);
    return;
  }
  const groups = (n + 63) >> 6; // 64 bytes each, one a value
  fillWords(choices, 0, groups);
  const count: usize = n < MANY ? 64 : 32;
  scatterToBuckets(values, n, out, choices, count);
  shuffleBuckets(out, count, groups, n);
}

function scatterToBuckets(values: usize, n: u32, out: usize, choices: usize, count: usize): void {
  memory.fill(buckets, 0, count << 2);
  const mask = (count - 1) << 2;
  for (let i: usize = 0; i < <usize>n; i++) {
    const slot = buckets + (((<usize>load<u8>(choices + i)) << 2) & mask);
    store<u32>(slot, load<u32>(slot) + 1);
  }
  let next = out;
  for (let b: usize = 0; b < count; b++) {
    const slot = buckets + (b << 2);
    const size = load<u32>(slot);
    store<u32>(slot, <u32>next);
    next += (<usize>size) << 2;
  }
  for (let i: usize = 0; i < <usize>n; i++) {
    const slot = buckets + (((<usize>load<u8>(choices + i)) << 2) & mask);
    const to = <usize>load<u32>(slot);
    store<u32>(to, load<u32>(values + (i << 2)));
    store<u32>(slot, <u32>to + 4);
  }
}

/** Fisher–Yates in each of the first `count` buckets, whose ends are in the table. Takes words from `group` on. */
function shuffleBuckets(out: usize, count: usize, group: u32, n: u32): void {
  let start = out;
  let word = words;
  let wordsEnd = words;
  const chunk = min(CHUNK_GROUPS, (n >> 4) + 1);
  for (let b: usize = 0; b < count; b++) {
    const end = <usize>load<u32>(buckets + (b << 2));
    let size = <u32>((end - start) >> 2);
    for (; size > PAIRS_UP_TO; size--) {
      let product: u64;
      do {
        if (word === wordsEnd) {
          fillWords(words, group, chunk);
          group += chunk;
          word = words;
          wordsEnd = words + <usize>chunk * GROUP_BYTES;
        }
        product = <u64>load<u32>(word) * size;
        word += 4;
      } while (<u32>product < size && <u32>product < (0 - size) % size);
      swap(start + ((<usize>(size - 1)) << 2), start + ((<usize>(product >> 32)) << 2));
    }
    for (; size > 1; size -= 2) {
      const both = size * (size - 1);
      let first: u64;
      let second: u64;
      do {
        if (word === wordsEnd) {
          fillWords(words, group, chunk);
          group += chunk;
          word = words;
          wordsEnd = words + <usize>chunk * GROUP_BYTES;
        }
        first = <u64>load<u32>(word) * size;
        second = (first & 0xffffffff) * (size - 1);
        word += 4;
      } while (<u32>second < both && <u32>second < (0 - both) % both);
      swap(start + ((<usize>(size - 1)) << 2), start + ((<usize>(first >> 32)) << 2));
      swap(start + ((<usize>(size - 2)) << 2), start + ((<usize>(second >> 32)) << 2));
    }
    start = end;
  }
}

function swap(a: usize, b: usize): void {
  const value = load<u32>(a);
  store<u32>(a, load<u32>(b));
  store<u32>(b, value);
}
