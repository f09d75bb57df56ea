/** Keys of weighted random sampling, and the sample: see src/kernels/weighted-sample.ts. */

import { argsortSortable } from "./argsort";
import { wordsToLogs } from "./exponential";
import { fillWords, GROUP_BYTES, setPlace } from "./philox";
import { topKSortable } from "./top-k";

const CHUNK_GROUPS: u32 = 64;
const words = memory.data(64 * 64);

let largestBits: u32 = 0;
let smallestBits: u32 = 0;

/**
 * How many weights are above 0, or −1 where one is negative, infinite or NaN. The bits of the largest and of the
 * smallest above 0 (all bits set where there is none) can be asked for afterwards.
 */
export function positiveWeights(weights: usize, n: u32): i32 {
  const end = weights + ((<usize>n) << 2);
  let largest: u32 = 0;
  let leastLessOne: u32 = 0xffffffff; // of the bits less 1, which makes those of 0 the largest
  let zeros: u32 = 0;
  let at = weights;
  let largestLanes = i32x4.splat(0);
  let leastLanes = i32x4.splat(-1);
  let zeroLanes = i32x4.splat(0);
  const one = i32x4.splat(1);
  const sign = i32x4.splat(0x80000000);
  const vectorsEnd = weights + ((<usize>(n & ~3)) << 2);
  for (; at < vectorsEnd; at += 16) {
    let weight = v128.load(at);
    weight = v128.andnot(weight, v128.and(i32x4.eq(weight, sign), sign)); // −0 is 0
    largestLanes = i32x4.max_u(largestLanes, weight);
    leastLanes = i32x4.min_u(leastLanes, i32x4.sub(weight, one));
    zeroLanes = i32x4.sub(zeroLanes, i32x4.eq(weight, i32x4.splat(0)));
  }
  for (; at < end; at += 4) {
    let weight = load<u32>(at);
    if (weight === 0x80000000) weight = 0;
    largest = max(largest, weight);
    leastLessOne = min(leastLessOne, weight - 1);
    zeros += u32(weight === 0);
  }
  largest = max(largest, max<u32>(i32x4.extract_lane(largestLanes, 0), i32x4.extract_lane(largestLanes, 1)));
  largest = max(largest, max<u32>(i32x4.extract_lane(largestLanes, 2), i32x4.extract_lane(largestLanes, 3)));
  leastLessOne = min(leastLessOne, min<u32>(i32x4.extract_lane(leastLanes, 0), i32x4.extract_lane(leastLanes, 1)));
  leastLessOne = min(leastLessOne, min<u32>(i32x4.extract_lane(leastLanes, 2), i32x4.extract_lane(leastLanes, 3)));
  zeros += i32x4.extract_lane(zeroLanes, 0) + i32x4.extract_lane(zeroLanes, 1);
  zeros += i32x4.extract_lane(zeroLanes, 2) + i32x4.extract_lane(zeroLanes, 3);
  if (largest >= 0x7f800000) return -1;
  largestBits = largest;
  smallestBits = leastLessOne + 1;
  return n - zeros;
}

export function largestWeightBits(): u32 {
  return largestBits;
}

export function smallestWeightBits(): u32 {
  return smallestBits;
}

/** In place: weights into keys, positive floats, whose bits sort as they do. The scale comes in two factors. */
export function weightedKeys(
  weights: usize,
  n: u32,
  scale1: f32,
  scale2: f32,
  tag: u32,
  atLow: u32,
  atHigh: u32,
  key0: u32,
  key1: u32,
): void {
  setPlace(tag, atLow, atHigh, key0, key1);
  const first = f32x4.splat(scale1);
  const second = f32x4.splat(scale2);
  const sign = i32x4.splat(0x80000000);
  const end = weights + ((<usize>n) << 2);
  let group: u32 = 0;
  for (let start = weights; start < end; start += <usize>CHUNK_GROUPS * GROUP_BYTES) {
    const chunk = min(end - start, <usize>CHUNK_GROUPS * GROUP_BYTES);
    const groups = <u32>((chunk + GROUP_BYTES - 1) / GROUP_BYTES);
    fillWords(words, group, groups);
    group += groups;
    for (let at: usize = 0; at < chunk; at += 32) wordsToLogs(words + at);
    for (let at: usize = 0; at < chunk; at += 16) {
      // Made negative as the logarithm is; −0 and 0 alike give infinity.
      const weight = f32x4.mul(f32x4.mul(v128.or(v128.load(start + at), sign), first), second);
      v128.store(start + at, f32x4.div(v128.load(words + at), weight));
    }
  }
}

/**
 * The indices of the `count` smallest of n keys, ascending, at `out`, which has room for n. Returns the bits of the next
 * key (a float's), those of infinity where there is none.
 */
export function weightedSample(keys: usize, n: u32, count: u32, pairs: usize, temp: usize, out: usize): u32 {
  if (count === n) {
    argsortSortable(keys, n, pairs, temp, out);
    return 0x7f800000;
  }
  topKSortable(keys, n, count + 1, pairs, temp, out);
  return load<u32>(keys + ((<usize>load<u32>(out + ((<usize>count) << 2))) << 2));
}
