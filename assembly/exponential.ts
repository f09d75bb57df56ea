/**
 * In place: words into ln(u) of u = (word + ½) / 2^32, an exponential variate but for its sign: the same steps, each
 * rounded to float32, as in src/kernels/plain/exponential.ts, where they are explained.
 *
 * Eight words, as two vectors step by step in turn: each step waits for the one before it, and the processor does not look
 * far enough ahead to begin the next words meanwhile.
 */
export function wordsToLogs(at: usize): void {
  // 1 is added where the sign is set; elsewhere 0, which changes nothing
  const near1 = f32x4.mul(
    f32x4.add(f32x4.convert_i32x4_s(v128.load(at)), f32x4.splat(0.5)),
    f32x4.splat(TWO_TO_MINUS_32),
  );
  const near2 = f32x4.mul(
    f32x4.add(f32x4.convert_i32x4_s(v128.load(at, 16)), f32x4.splat(0.5)),
    f32x4.splat(TWO_TO_MINUS_32),
  );
  const u1 = f32x4.add(near1, v128.and(i32x4.shr_s(near1, 31), f32x4.splat(1)));
  const u2 = f32x4.add(near2, v128.and(i32x4.shr_s(near2, 31), f32x4.splat(1)));
  const exponent1 = i32x4.shr_s(i32x4.sub(u1, i32x4.splat(ROOT_HALF_BITS)), 23);
  const exponent2 = i32x4.shr_s(i32x4.sub(u2, i32x4.splat(ROOT_HALF_BITS)), 23);
  const less1 = f32x4.sub(i32x4.sub(u1, i32x4.shl(exponent1, 23)), f32x4.splat(1));
  const less2 = f32x4.sub(i32x4.sub(u2, i32x4.shl(exponent2, 23)), f32x4.splat(1));
  const t1 = v128.bitselect(near1, less1, i32x4.eq(exponent1, i32x4.splat(0)));
  const t2 = v128.bitselect(near2, less2, i32x4.eq(exponent2, i32x4.splat(0)));

  let q1 = f32x4.splat(0.08734836);
  let q2 = f32x4.splat(0.08734836);
  q1 = f32x4.add(f32x4.mul(q1, t1), f32x4.splat(-0.14307518));
  q2 = f32x4.add(f32x4.mul(q2, t2), f32x4.splat(-0.14307518));
  q1 = f32x4.add(f32x4.mul(q1, t1), f32x4.splat(0.14917974));
  q2 = f32x4.add(f32x4.mul(q2, t2), f32x4.splat(0.14917974));
  q1 = f32x4.add(f32x4.mul(q1, t1), f32x4.splat(-0.16570508));
  q2 = f32x4.add(f32x4.mul(q2, t2), f32x4.splat(-0.16570508));
  q1 = f32x4.add(f32x4.mul(q1, t1), f32x4.splat(0.19962072));
  q2 = f32x4.add(f32x4.mul(q2, t2), f32x4.splat(0.19962072));
  q1 = f32x4.add(f32x4.mul(q1, t1), f32x4.splat(-0.25001755));
  q2 = f32x4.add(f32x4.mul(q2, t2), f32x4.splat(-0.25001755));
  q1 = f32x4.add(f32x4.mul(q1, t1), f32x4.splat(0.3333395));
  q2 = f32x4.add(f32x4.mul(q2, t2), f32x4.splat(0.3333395));
  q1 = f32x4.add(f32x4.mul(q1, t1), f32x4.splat(-0.4999999));
  q2 = f32x4.add(f32x4.mul(q2, t2), f32x4.splat(-0.4999999));
  const log1 = f32x4.add(t1, f32x4.mul(f32x4.mul(t1, t1), q1));
  const log2 = f32x4.add(t2, f32x4.mul(f32x4.mul(t2, t2), q2));
  const ln2 = f32x4.splat(<f32>Math.LN2);
  v128.store(at, f32x4.add(log1, f32x4.mul(f32x4.convert_i32x4_s(exponent1), ln2)));
  v128.store(at, f32x4.add(log2, f32x4.mul(f32x4.convert_i32x4_s(exponent2), ln2)), 16);
}

const TWO_TO_MINUS_32: f32 = 2.3283064365386963e-10;
const ROOT_HALF_BITS: i32 = 0x3f3504f3;
