/** From what is known of each sample to the weight with which it is drawn. */
import { argsort } from "../kernels/argsort.js";
import { consecutive } from "../kernels/consecutive.js";
import type { Random } from "../kernels/random.js";
import { shuffled } from "../kernels/shuffle.js";

export interface WeightOptions {
  readonly weights: "loss" | "rank";
  readonly by: string;
  readonly power: number;
  readonly alpha: number;
  readonly floor: number;
  readonly unseen: "highest" | "mean";
}

/**
 * The weight of each sample, relative to the largest; at least one value is finite. NaN is a sample never seen,
 * Infinity counts as the largest finite value. `samples` are the samples' indices, for errors.
 *
 * @throws Error naming the first sample whose value gives no weight: negative, or with a power that is not finite.
 */
export function sampleWeights(
  values: Readonly<Float32Array>,
  samples: Readonly<Uint32Array>,
  options: WeightOptions,
  random: Random,
): Float32Array {
  const known = withoutInfinity(values);
  const weights =
    options.weights === "rank" ? rankPowers(known, options.alpha, random) : valuePowers(known, samples, options);
  return completed(weights, options);
}

function withoutInfinity(values: Readonly<Float32Array>): Readonly<Float32Array> {
  let largest = Number.NEGATIVE_INFINITY;
  let isAnyInfinite = false;
  for (let i = 0; i < values.length; i++) {
    if (values[i] === Number.POSITIVE_INFINITY) isAnyInfinite = true;
    else if (values[i] > largest) largest = values[i];
  }
  if (!isAnyInfinite) return values;
  const finite = values.slice();
  for (let i = 0; i < finite.length; i++) if (finite[i] === Number.POSITIVE_INFINITY) finite[i] = largest;
  return finite;
}

let scratch = new Float64Array();

/** Numbers to be written over: a draw for each batch would fill the memory with them. */
function scratchOf(count: number): Float64Array {
  if (scratch.length < count) scratch = new Float64Array(count);
  return scratch.subarray(0, count);
}

/** value^power; NaN where never seen. */
function valuePowers(
  values: Readonly<Float32Array>,
  samples: Readonly<Uint32Array>,
  { by, power }: WeightOptions,
): Float64Array {
  const weights = scratchOf(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value < 0) throw new Error(`${seen(by, samples[i], value)}, expected at least 0 (weights: rank takes any)`);
    const size = Math.abs(value); // −0, which torch gives for a loss of 0, would be −Infinity with power −1
    weights[i] = power === 1 ? size : size ** power; // to the same bit, in a tenth of the time
    if (weights[i] === Number.POSITIVE_INFINITY) {
      const remedy = power < 0 ? "a power of at least 0" : "a smaller power";
      throw new Error(
        `${seen(by, samples[i], value)}, whose power ${power} is infinite; take ${remedy} or weights: rank`,
      );
    }
  }
  return weights;
}

const seen = (by: string, sample: number, value: number) => `${by} of sample ${sample} is ${value}`;

/** rank^−alpha, rank 1 being the highest value and chance breaking ties; NaN where never seen. */
function rankPowers(values: Readonly<Float32Array>, alpha: number, random: Random): Float64Array {
  const places = shuffled(consecutive(values.length), random);
  const sorted = argsort(
    new Float32Array(places.length).map((_, at) => values[places[at]]),
    "descending",
  );
  const weights = scratchOf(values.length).fill(Number.NaN);
  for (let i = 0; i < sorted.length; i++) {
    const place = places[sorted[i]];
    if (!Number.isNaN(values[place])) weights[place] = (i + 1) ** -alpha;
  }
  return weights;
}

/** Scaled by the largest, samples never seen filled in, small weights raised; all alike where all would be 0. */
function completed(weights: Float64Array, { floor, unseen }: WeightOptions): Float32Array {
  let largest = 0;
  for (let i = 0; i < weights.length; i++) if (weights[i] > largest) largest = weights[i];
  if (largest === 0) return new Float32Array(weights.length).fill(floor > 0 ? 1 : 0);

  let sum = 0;
  let count = 0;
  for (let i = 0; i < weights.length; i++) {
    if (Number.isNaN(weights[i])) continue;
    sum += weights[i] / largest;
    count++;
  }
  const mean = sum / count;
  const ofUnseen = unseen === "highest" ? 1 : mean;
  const least = floor * mean;
  const raised = new Float32Array(weights.length);
  for (let i = 0; i < weights.length; i++) {
    const weight = Number.isNaN(weights[i]) ? ofUnseen : weights[i] / largest;
    raised[i] = Math.max(least, weight);
  }
  return raised;
}
