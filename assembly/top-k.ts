/**
 * The first k of an argsort: a sample of the keys gives a bound that a little more than k of them should meet, and
 * only those are sorted. Where the sample misled and fewer than k meet it, all are.
 */
import { argsortSortable } from "./argsort";
import { makeSortable } from "./sortable";

/** Under this many keys, or for more than a third of them, sorting all is as quick. */
const WORTH_IT: u32 = 1 << 13;
const SAMPLE: u32 = 1 << 12;

/** `keys` holds n floats; `out` gets the k indices. `pairs` and `temp` have room for n u64 each, `out` for n u32. */
export function topK(keys: usize, n: u32, k: u32, isDescending: bool, pairs: usize, temp: usize, out: usize): void {
  makeSortable(keys, n, isDescending);
  topKSortable(keys, n, k, pairs, temp, out);
}

/** The same of unsigned integers; those of the keys that are sorted are overwritten. */
export function topKSortable(keys: usize, n: u32, k: u32, pairs: usize, temp: usize, out: usize): void {
  if (k === 0) return;
  if (n < WORTH_IT || k > n / 3) {
    argsortSortable(keys, n, pairs, temp, out);
    return;
  }
  const bound = boundOf(keys, n, k, pairs, temp, out);
  // Indices of those that meet it go to `out`, keys to the front of `pairs`, after the room that their sort needs.
  const kept = countUpTo(keys, n, bound);
  if (kept < k || kept > n / 2) {
    argsortSortable(keys, n, pairs, temp, out);
    return;
  }
  const keptKeys = temp + ((<usize>kept) << 3);
  const order = keptKeys + ((<usize>(kept + 4)) << 2);
  keepUpTo(keys, n, bound, keptKeys, out);
  argsortSortable(keptKeys, kept, pairs, temp, order);
  // The kept indices are moved out of the way of the result.
  memory.copy(pairs, out, (<usize>kept) << 2);
  for (let i: usize = 0; i < (<usize>k) << 2; i += 4) {
    store<u32>(out + i, load<u32>(pairs + ((<usize>load<u32>(order + i)) << 2)));
  }
}

/** The key in the strided sample with a rank that is in proportion to k, and five standard deviations on. */
function boundOf(keys: usize, n: u32, k: u32, pairs: usize, temp: usize, out: usize): u32 {
  const share = <f64>k / <f64>n;
  const rank = share * SAMPLE + 5 * sqrt(share * (1 - share) * SAMPLE) + 2;
  for (let i: u32 = 0; i < SAMPLE; i++) {
    const at = <usize>((<u64>i * n) / SAMPLE);
    store<u32>(out + ((<usize>i) << 2), load<u32>(keys + (at << 2)));
  }
  const order = out + ((<usize>SAMPLE) << 2);
  argsortSortable(out, SAMPLE, pairs, temp, order);
  const chosen = <usize>load<u32>(order + ((<usize>min<u32>(<u32>rank, SAMPLE - 1)) << 2));
  return load<u32>(out + (chosen << 2));
}

function countUpTo(keys: usize, n: u32, bound: u32): u32 {
  const vectorsEnd = keys + ((<usize>(n & ~3)) << 2);
  const end = keys + ((<usize>n) << 2);
  const bounds = i32x4.splat(bound);
  let counts = i32x4.splat(0);
  let at = keys;
  for (; at < vectorsEnd; at += 16) counts = i32x4.sub(counts, i32x4.le_u(v128.load(at), bounds));
  let count: u32 = i32x4.extract_lane(counts, 0) + i32x4.extract_lane(counts, 1);
  count += i32x4.extract_lane(counts, 2) + i32x4.extract_lane(counts, 3);
  for (; at < end; at += 4) count += u32(load<u32>(at) <= bound);
  return count;
}

/** Stored in any case, and kept by going on: a branch would be guessed wrong too often. */
function keepUpTo(keys: usize, n: u32, bound: u32, keptKeys: usize, keptIndices: usize): void {
  for (let i: u32 = 0; i < n; i++) {
    const key = load<u32>(keys + ((<usize>i) << 2));
    store<u32>(keptKeys, key);
    store<u32>(keptIndices, i);
    const step = (<usize>(key <= bound)) << 2;
    keptKeys += step;
    keptIndices += step;
  }
}
