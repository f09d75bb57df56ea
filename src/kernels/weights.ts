/** What weights may be, and the power of two that they are scaled by before keys are made of them. */

export interface WeightRange {
  /** How many are above 0. */
  readonly positive: number;
  readonly largest: number;
  /** The smallest above 0; Infinity where there is none. */
  readonly smallest: number;
}

/** A power of two, as a factor that float32 may hold only in two parts. */
export interface WeightScale {
  readonly exponent: number;
  readonly first: number;
  readonly second: number;
}

/** The largest weight is scaled to 2^92 … 2^93: then the smallest key it can get is just a normal float32. */
const LARGEST_EXPONENT = 92;
/** And weights down to 2^-215 of that leave the largest key, 22.9 / weight, below Infinity. */
const WIDEST_EXPONENT = 215;

/** Refuses what is no weight, naming the first; looked for only where there is one. */
export function badWeight(weights: Readonly<Float32Array>): RangeError {
  const index = weights.findIndex((weight) => !(weight >= 0 && weight < Number.POSITIVE_INFINITY));
  return new RangeError(
    `weight ${index} is ${weights[index]}, expected a finite number of at least 0: replace it before drawing`,
  );
}

/** Scaling changes no ratio and no bit of a mantissa, so weights times a power of two give the same keys. */
export function scaleOf(weights: Readonly<Float32Array>, { largest, smallest }: WeightRange): WeightScale {
  if (largest === 0) return { exponent: 0, first: 1, second: 1 };
  if (smallest < largest * 2 ** -WIDEST_EXPONENT) {
    throw new RangeError(
      `weight ${weights.indexOf(smallest)} is ${smallest} and the largest is ${largest}, expected at most a factor of ` +
        `2^${WIDEST_EXPONENT} between them: raise the small weights or set them to 0`,
    );
  }
  const exponent = LARGEST_EXPONENT - exponentOf(largest);
  const first = Math.min(exponent, 127);
  return { exponent, first: 2 ** first, second: 2 ** (exponent - first) };
}

export function checkPositive(count: number, { positive }: WeightRange): void {
  if (count > positive) {
    throw new RangeError(
      `cannot draw ${count} samples without replacement where only ${positive} of the weights are above 0`,
    );
  }
}

/** floor(log2(x)) of a float32 above 0. */
function exponentOf(x: number): number {
  const bits = new Uint32Array(Float32Array.of(x).buffer)[0];
  const exponent = bits >>> 23;
  return exponent === 0 ? -118 - Math.clz32(bits) : exponent - 127;
}
