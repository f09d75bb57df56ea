/**
 * ln(u) of u = (word + ½) / 2^32 for four words, an exponential variate but for its sign: the same steps, each rounded
 * to float32, as in src/kernels/plain/exponential.ts, where they are explained.
 */
export function logOf(word: v128): v128 {
  const half = f32x4.add(f32x4.convert_i32x4_s(word), f32x4.splat(0.5));
  const near = f32x4.mul(half, f32x4.splat(2.3283064365386963e-10)); // 2^-32
  // 1 is added where the sign is set; elsewhere 0, which changes nothing
  const u = f32x4.add(near, v128.and(i32x4.shr_s(near, 31), f32x4.splat(1)));
  const exponent = i32x4.shr_s(i32x4.sub(u, i32x4.splat(0x3f3504f3)), 23);
  const scaled = i32x4.sub(u, i32x4.shl(exponent, 23));
  const t = v128.bitselect(near, f32x4.sub(scaled, f32x4.splat(1)), i32x4.eq(exponent, i32x4.splat(0)));

  let q = f32x4.splat(0.08734836);
  q = f32x4.add(f32x4.mul(q, t), f32x4.splat(-0.14307518));
  q = f32x4.add(f32x4.mul(q, t), f32x4.splat(0.14917974));
  q = f32x4.add(f32x4.mul(q, t), f32x4.splat(-0.16570508));
  q = f32x4.add(f32x4.mul(q, t), f32x4.splat(0.19962072));
  q = f32x4.add(f32x4.mul(q, t), f32x4.splat(-0.25001755));
  q = f32x4.add(f32x4.mul(q, t), f32x4.splat(0.3333395));
  q = f32x4.add(f32x4.mul(q, t), f32x4.splat(-0.4999999));
  const log = f32x4.add(t, f32x4.mul(f32x4.mul(t, t), q));
  return f32x4.add(log, f32x4.mul(f32x4.convert_i32x4_s(exponent), f32x4.splat(<f32>Math.LN2)));
}
