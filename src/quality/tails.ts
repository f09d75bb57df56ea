/** How probable what was seen, or something further out, is: tails of Poisson, normal and gamma distributions. */

/** Lanczos' approximation with g = 7 and nine terms, good to 1e-14. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

function logGamma(a: number): number {
  if (a < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * a)) - logGamma(1 - a);
  const base = a + 6.5;
  const sum = LANCZOS.slice(1).reduce((total, term, at) => total + term / (a + at), LANCZOS[0]);
  return 0.5 * Math.log(2 * Math.PI) + (a - 0.5) * Math.log(base) - base + Math.log(sum);
}

const PRECISE = 1e-15;
/** In place of a division by 0. */
const TINY = 1e-300;

interface Tails {
  /** At most x. */
  readonly low: number;
  /** At least x. */
  readonly high: number;
}

/** Both tails of a gamma distribution with this shape and scale 1; the smaller one is precise however small it is. */
export function gammaTails(shape: number, x: number): Tails {
  if (x <= 0) return { low: 0, high: 1 };
  const front = Math.exp(shape * Math.log(x) - x - logGamma(shape));
  if (x < shape + 1) {
    const low = Math.min(1, front * series(shape, x));
    return { low, high: 1 - low };
  }
  const high = Math.min(1, front * continuedFraction(shape, x));
  return { low: 1 - high, high };
}

function series(shape: number, x: number): number {
  let term = 1 / shape;
  let sum = term;
  for (let k = shape + 1; term > sum * PRECISE; k++) {
    term *= x / k;
    sum += term;
  }
  return sum;
}

/** By Lentz's method. */
function continuedFraction(shape: number, x: number): number {
  let b = x + 1 - shape;
  let c = 1 / TINY;
  let d = 1 / b;
  let product = d;
  for (let i = 1, change = 0; Math.abs(change - 1) > PRECISE; i++) {
    const a = i * (shape - i);
    b += 2;
    d = 1 / nonZero(a * d + b);
    c = nonZero(b + a / c);
    change = c * d;
    product *= change;
  }
  return product;
}

const nonZero = (value: number): number => (Math.abs(value) < TINY ? TINY : value);

/** The probability of so many or more. */
export const poissonAtLeast = (count: number, mean: number): number => (count <= 0 ? 1 : gammaTails(count, mean).low);

/** The probability of so many or fewer. */
export const poissonAtMost = (count: number, mean: number): number => gammaTails(count + 1, mean).high;

/** The probability of a standard normal value that is as far from 0, or further. */
export const normalBeyond = (z: number): number => gammaTails(0.5, (z * z) / 2).high;

/** Of a test on both sides. */
export const twoSided = ({ low, high }: Tails): number => Math.min(1, 2 * Math.min(low, high));

/** The smallest count at which `holds`, which stays so for all larger ones. */
export function firstCount(holds: (count: number) => boolean): number {
  let high = 1;
  while (!holds(high)) high *= 2;
  let low = 0;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Holm's correction: p-values that hold together, in the order given. */
export function holm(p: readonly number[]): number[] {
  const corrected = new Array<number>(p.length);
  let least = 0;
  for (const [rank, at] of [...p.keys()].sort((a, b) => p[a] - p[b]).entries()) {
    least = Math.max(least, Math.min(1, (p.length - rank) * p[at]));
    corrected[at] = least;
  }
  return corrected;
}
