import { checkCount, checkLength } from "./checks.js";
import { copyIn, copyOut, fastKernels, layOut, placeOf } from "./module.js";
import type { Random } from "./random.js";
import { badWeight, checkPositive, scaleOf, type WeightRange } from "./weights.js";

export interface WeightedKeys {
  /** The key of each sample, divided by `scale`; Infinity for weight 0. */
  readonly keys: Float32Array;
  /** A power of two; it keeps the keys of very small and very large weights within float32. */
  readonly scale: number;
}

export interface WeightedSample {
  /** The samples drawn, in the sequence of drawing. */
  readonly indices: Uint32Array;
  /**
   * The smallest key of those not drawn; Infinity where all of positive weight are drawn. Given it, sample i was
   * drawn with probability 1 − exp(−weights[i] · threshold), whatever the others did (rank conditioning).
   */
  readonly threshold: number;
}

/**
 * The keys −ln(u) / weight of weighted random sampling, u uniform in (0, 1): exponential variates with the weights
 * as their rates (Efraimidis and Spirakis 2006, with the logarithm of their key u^(1/weight), which underflows).
 *
 * u is (word + ½) / 2^32 and the logarithm a float32 within 2.7e-7 of it, relatively; so a key is too.
 * Weights are finite and at least 0 (−0 is 0), with at most a factor of 2^215 between those above 0; else a RangeError.
 * Takes one bulk call from `random`.
 *
 * @param out keys, of the weights' length
 */
export function weightedKeys(
  weights: Readonly<Float32Array>,
  random: Random,
  out = new Float32Array(weights.length),
): WeightedKeys {
  const n = weights.length;
  checkLength("out", out.length, n);
  const kernels = fastKernels();
  const [at] = layOut(kernels, 4 * n);
  copyIn(kernels, at, weights);
  const scale = makeKeys(kernels, at, weights, rangeOf(kernels, at, weights), random);
  copyOut(kernels, at, out);
  return { keys: out, scale };
}

/**
 * `count` samples drawn one after another without replacement, each time with probability in proportion to weight
 * among those left: the law of "Algorithm D" (Efraimidis and Spirakis 2006; Plackett–Luce), in one pass, as the
 * smallest of `weightedKeys` in ascending order. Equal keys go by index.
 *
 * A sample of weight 0 is never drawn: a `count` above the number of positive weights is a RangeError. With the same
 * place of `random`, the first m of a sample are the sample of m, and weights times a power of two give the same bits.
 *
 * @param out the samples, of length `count`
 */
export function weightedSample(
  weights: Readonly<Float32Array>,
  count: number,
  random: Random,
  out?: Uint32Array,
): WeightedSample {
  const n = weights.length;
  checkCount(count, n);
  const drawn = out ?? new Uint32Array(count);
  checkLength("out", drawn.length, count);
  const kernels = fastKernels();
  const [at, pairs, temp, indices] = layOut(kernels, 4 * n, 8 * n, 8 * n, 4 * n);
  copyIn(kernels, at, weights);
  const range = rangeOf(kernels, at, weights);
  checkPositive(count, range);
  const scale = makeKeys(kernels, at, weights, range, random);
  const next = floatOf(kernels.weightedSample(at, n, count, pairs, temp, indices));
  copyOut(kernels, indices, drawn);
  return { indices: drawn, threshold: next * scale };
}

type Kernels = ReturnType<typeof fastKernels>;

/** Of the weights that lie at this address. */
function rangeOf(kernels: Kernels, at: number, weights: Readonly<Float32Array>): WeightRange {
  const positive = kernels.positiveWeights(at, weights.length);
  if (positive < 0) throw badWeight(weights);
  if (positive === 0) return { positive, largest: 0, smallest: Number.POSITIVE_INFINITY };
  return {
    positive,
    largest: floatOf(kernels.largestWeightBits()),
    smallest: floatOf(kernels.smallestWeightBits()),
  };
}

/** The keys, where the weights lie; gives back the scale. */
function makeKeys(
  kernels: Kernels,
  at: number,
  weights: Readonly<Float32Array>,
  range: WeightRange,
  random: Random,
): number {
  const { exponent, first, second } = scaleOf(weights, range);
  kernels.weightedKeys(at, weights.length, first, second, ...placeOf(random.bulk()));
  return 2 ** exponent;
}

/** The same four bytes. */
const WORD = new Uint32Array(1);
const FLOAT = new Float32Array(WORD.buffer);

function floatOf(bits: number): number {
  WORD[0] = bits;
  return FLOAT[0];
}
