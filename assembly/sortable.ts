/** Floats as unsigned integers of the same order, and the range of such. */

let least: u32 = 0;
let most: u32 = 0;

/** Looks for the least and the most of n ≥ 1 unsigned integers; asked for afterwards. */
export function findRange(keys: usize, n: u32): void {
  const vectorsEnd = keys + ((<usize>(n & ~3)) << 2);
  let low = i32x4.splat(-1);
  let high = i32x4.splat(0);
  let at = keys;
  for (; at < vectorsEnd; at += 16) {
    const key = v128.load(at);
    low = i32x4.min_u(low, key);
    high = i32x4.max_u(high, key);
  }
  foldRange(low, high);
  widenRange(at, keys + ((<usize>n) << 2));
}

export function leastFound(): u32 {
  return least;
}

export function mostFound(): u32 {
  return most;
}

/**
 * In place: n ≥ 1 floats into integers that sort as they do, in the direction asked for; their range is found in passing.
 * −0 becomes 0; NaN becomes the largest integer, which no number has, in both directions.
 */
export function makeSortable(keys: usize, n: u32, isDescending: bool): void {
  const flip = i32x4.splat(isDescending ? -1 : 0);
  const end = keys + ((<usize>n) << 2);
  const vectorsEnd = keys + ((<usize>(n & ~3)) << 2);
  let low = i32x4.splat(-1);
  let high = i32x4.splat(0);
  let at = keys;
  for (; at < vectorsEnd; at += 16) {
    const sortable = sortableOf(v128.load(at), flip);
    v128.store(at, sortable);
    low = i32x4.min_u(low, sortable);
    high = i32x4.max_u(high, sortable);
  }
  foldRange(low, high);
  if (at < end) {
    v128.store(at, sortableOf(v128.load(at), flip));
    widenRange(at, end);
  }
}

function sortableOf(bits: v128, flip: v128): v128 {
  const key = f32x4.add(bits, f32x4.splat(0)); // −0 + 0 is 0
  const isNumber = f32x4.eq(key, key);
  // Negative: all bits change; positive: the sign bit alone.
  const sortable = v128.xor(key, v128.or(i32x4.shr_s(key, 31), i32x4.splat(0x80000000)));
  return v128.or(v128.xor(sortable, flip), v128.not(isNumber));
}

function foldRange(low: v128, high: v128): void {
  least = min(
    min<u32>(i32x4.extract_lane(low, 0), i32x4.extract_lane(low, 1)),
    min<u32>(i32x4.extract_lane(low, 2), i32x4.extract_lane(low, 3)),
  );
  most = max(
    max<u32>(i32x4.extract_lane(high, 0), i32x4.extract_lane(high, 1)),
    max<u32>(i32x4.extract_lane(high, 2), i32x4.extract_lane(high, 3)),
  );
}

function widenRange(at: usize, end: usize): void {
  for (; at < end; at += 4) {
    least = min(least, load<u32>(at));
    most = max(most, load<u32>(at));
  }
}
