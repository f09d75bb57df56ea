/** `weightedKeys` and `weightedSample`, one sample after another. */
import { checkCount, checkLength } from "../checks.js";
import type { Random } from "../random.js";
import type { WeightedKeys, WeightedSample } from "../weighted-sample.js";
import { badWeight, checkPositive, scaleOf, type WeightRange } from "../weights.js";
import { argsort } from "./argsort.js";
import { BulkWords } from "./bulk-words.js";
import { exponentialOf } from "./exponential.js";

export function weightedKeys(
  weights: Readonly<Float32Array>,
  random: Random,
  out = new Float32Array(weights.length),
): WeightedKeys {
  checkLength("out", out.length, weights.length);
  return keysOf(weights, rangeOf(weights), random, out);
}

export function weightedSample(
  weights: Readonly<Float32Array>,
  count: number,
  random: Random,
  out?: Uint32Array,
): WeightedSample {
  checkCount(count, weights.length);
  const indices = out ?? new Uint32Array(count);
  checkLength("out", indices.length, count);
  const range = rangeOf(weights);
  checkPositive(count, range);
  const { keys, scale } = keysOf(weights, range, random, new Float32Array(weights.length));
  const sorted = argsort(keys);
  indices.set(sorted.subarray(0, count));
  return { indices, threshold: count < weights.length ? keys[sorted[count]] * scale : Number.POSITIVE_INFINITY };
}

function keysOf(weights: Readonly<Float32Array>, range: WeightRange, random: Random, out: Float32Array): WeightedKeys {
  const { exponent, first, second } = scaleOf(weights, range);
  const words = new BulkWords(random.bulk());
  for (let i = 0; i < weights.length; i++) {
    // The absolute value is for −0: divided by, it would give the first key instead of the last.
    const scaled = Math.fround(Math.fround(Math.abs(weights[i]) * first) * second);
    out[i] = exponentialOf(words.next()) / scaled;
  }
  return { keys: out, scale: 2 ** exponent };
}

function rangeOf(weights: Readonly<Float32Array>): WeightRange {
  let positive = 0;
  let largest = 0;
  let smallest = Number.POSITIVE_INFINITY;
  for (const weight of weights) {
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) throw badWeight(weights);
    if (weight === 0) continue;
    positive++;
    if (weight > largest) largest = weight;
    if (weight < smallest) smallest = weight;
  }
  return { positive, largest, smallest };
}
