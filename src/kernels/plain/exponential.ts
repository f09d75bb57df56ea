/**
 * −ln(u) of u = (word + ½) / 2^32, a standard exponential variate, as a float32 with a relative error of at most 2.7e-7, measured.
 *
 * Every step is rounded to float32 and none depends on the machine's own logarithm, so the fast form has the same
 * bits. Near u = 1 the variate is about 1 − u, which is kept as such (−log1p): rounding u first would lose it.
 */

const round = Math.fround;
const bits = new Int32Array(1);
const float = new Float32Array(bits.buffer);

/** Q of ln(1 + t) = t + t²·Q(t), the highest power first; made by test/kernels/fit_log.py. */
const Q = [0.08734836, -0.14307518, 0.14917974, -0.16570508, 0.19962072, -0.25001755, 0.3333395, -0.4999999].map(round);
const LN2 = round(Math.LN2);
const SQRT_HALF_BITS = 0x3f3504f3;

export function exponentialOf(word: number): number {
  // Read as a signed integer, a word of the upper half is that of u − 1.
  const near = round(round(word | 0) + 0.5) * 2 ** -32;
  const u = near < 0 ? round(near + 1) : near;
  // u = 2^exponent · (1 + t), 1 + t from √½ to √2
  float[0] = u;
  const exponent = (bits[0] - SQRT_HALF_BITS) >> 23;
  bits[0] -= exponent << 23;
  const t = exponent === 0 ? near : round(float[0] - 1);

  let q = Q[0];
  for (let i = 1; i < Q.length; i++) q = round(round(q * t) + Q[i]);
  const log = round(t + round(round(t * t) * q));
  return -round(log + round(exponent * LN2));
}
