/**
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011), four blocks at a time, one a lane.
 *
 * The words come out in groups of 16: the first words of four blocks, then their second words, third, fourth. That is
 * how they lie in the vectors; src/kernels/plain/bulk-words.ts has the same sequence.
 */

export const GROUP_BYTES: usize = 64;

/** The place of a bulk call: counter words 1 to 3 and the key. Set once a call, before the words are made. */
let counter1: u32 = 0;
let counter2: u32 = 0;
let counter3: u32 = 0;
let key0: u32 = 0;
let key1: u32 = 0;

export function setPlace(tag: u32, atLow: u32, atHigh: u32, k0: u32, k1: u32): void {
  counter1 = tag << 8;
  counter2 = atLow;
  counter3 = atHigh;
  key0 = k0;
  key1 = k1;
}

/** The words of `groups` groups, from `first` on, at `out`; of one more where they are odd, for two are made at a time. */
export function fillWords(out: usize, first: u32, groups: u32): void {
  const multiplier0 = i32x4.splat(0xd2511f53);
  const multiplier1 = i32x4.splat(0xcd9e8d57);
  const start1 = i32x4.splat(counter1);
  const start2 = i32x4.splat(counter2);
  const start3 = i32x4.splat(counter3);
  let block = i32x4.add(i32x4.splat(4 * first), i32x4(0, 1, 2, 3));
  const end = out + <usize>groups * GROUP_BYTES;
  for (; out < end; out += 2 * GROUP_BYTES) {
    let a = block;
    let b = start1;
    let c = start2;
    let d = start3;
    let e = i32x4.add(block, i32x4.splat(4));
    let f = start1;
    let g = start2;
    let h = start3;
    let k0 = key0;
    let k1 = key1;
    for (let round = 0; round < 10; round++) {
      const keyA = i32x4.splat(k0);
      const keyB = i32x4.splat(k1);
      const low0 = i64x2.extmul_low_i32x4_u(a, multiplier0);
      const high0 = i64x2.extmul_high_i32x4_u(a, multiplier0);
      const low1 = i64x2.extmul_low_i32x4_u(c, multiplier1);
      const high1 = i64x2.extmul_high_i32x4_u(c, multiplier1);
      const low2 = i64x2.extmul_low_i32x4_u(e, multiplier0);
      const high2 = i64x2.extmul_high_i32x4_u(e, multiplier0);
      const low3 = i64x2.extmul_low_i32x4_u(g, multiplier1);
      const high3 = i64x2.extmul_high_i32x4_u(g, multiplier1);
      // Of the 64-bit products the upper words are the odd lanes, the lower words the even ones.
      a = v128.xor(v128.xor(v128.shuffle<i32>(low1, high1, 1, 3, 5, 7), b), keyA);
      b = v128.shuffle<i32>(low1, high1, 0, 2, 4, 6);
      c = v128.xor(v128.xor(v128.shuffle<i32>(low0, high0, 1, 3, 5, 7), d), keyB);
      d = v128.shuffle<i32>(low0, high0, 0, 2, 4, 6);
      e = v128.xor(v128.xor(v128.shuffle<i32>(low3, high3, 1, 3, 5, 7), f), keyA);
      f = v128.shuffle<i32>(low3, high3, 0, 2, 4, 6);
      g = v128.xor(v128.xor(v128.shuffle<i32>(low2, high2, 1, 3, 5, 7), h), keyB);
      h = v128.shuffle<i32>(low2, high2, 0, 2, 4, 6);
      // What the key grows by from round to round: the golden ratio and √3 − 1, as 32-bit fractions.
      k0 += 0x9e3779b9;
      k1 += 0xbb67ae85;
    }
    v128.store(out, a);
    v128.store(out, b, 16);
    v128.store(out, c, 32);
    v128.store(out, d, 48);
    v128.store(out, e, 64);
    v128.store(out, f, 80);
    v128.store(out, g, 96);
    v128.store(out, h, 112);
    block = i32x4.add(block, i32x4.splat(8));
  }
}
