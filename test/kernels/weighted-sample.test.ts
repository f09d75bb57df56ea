import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { random } from "../../src/kernels/random.js";
import { weightedKeys, weightedSample } from "../../src/kernels/weighted-sample.js";
import { chiSquareBounds } from "./chi-square.js";

/** The sample of `count`, drawn at this seed. */
const drawn = (weights: readonly number[], count: number, seed: number) =>
  weightedSample(Float32Array.from(weights), count, random(seed, "order", 0));

/** Every ordered sample of `count` with its probability, by the definition: one draw after another from what is left. */
function orderedSamples(weights: readonly number[], count: number): Map<string, number> {
  const found = new Map<string, number>();
  const draw = (sample: readonly number[], probability: number) => {
    if (sample.length === count) {
      found.set(sample.join(), probability);
      return;
    }
    const left = weights.flatMap((_, i) => (sample.includes(i) ? [] : [i]));
    const total = left.reduce((sum, i) => sum + weights[i], 0);
    for (const i of left) draw([...sample, i], (probability * weights[i]) / total);
  };
  draw([], 1);
  return found;
}

/** Pearson's statistic of ordered samples over so many seeds, samples with under 5 expected put together. */
function statisticOf(weights: readonly number[], count: number, seeds: number): { statistic: number; cells: number } {
  const observed = new Map<string, number>();
  for (let seed = 0; seed < seeds; seed++) {
    const sample = drawn(weights, count, seed).indices.join();
    observed.set(sample, (observed.get(sample) ?? 0) + 1);
  }
  let statistic = 0;
  let cells = 0;
  const rare = { expected: 0, seen: 0 };
  for (const [sample, probability] of orderedSamples(weights, count)) {
    const expected = probability * seeds;
    const seen = observed.get(sample) ?? 0;
    if (expected < 5) {
      rare.expected += expected;
      rare.seen += seen;
      continue;
    }
    statistic += (seen - expected) ** 2 / expected;
    cells++;
  }
  if (rare.expected >= 5) {
    statistic += (rare.seen - rare.expected) ** 2 / rare.expected;
    cells++;
  } else {
    expect(rare.seen).toBeLessThanOrEqual(rare.expected + 12);
  }
  return { statistic, cells };
}

/** How often each item is in the sample, over so many seeds. */
function inclusion(weights: readonly number[], count: number, seeds: number): number[] {
  const times = weights.map(() => 0);
  for (let seed = 0; seed < seeds; seed++) for (const i of drawn(weights, count, seed).indices) times[i]++;
  return times.map((number) => number / seeds);
}

/** Within 4.75 standard errors of a share: once in a million. */
function expectShares(seen: readonly number[], expected: readonly number[], seeds: number): void {
  for (const [i, share] of expected.entries()) {
    expect(Math.abs(seen[i] - share)).toBeLessThan(4.75 * Math.sqrt((share * (1 - share)) / seeds));
  }
}

const SEEDS = 40_000;

describe("every ordered sample comes as often as its probability says", () => {
  test("the probabilities of w = (1, 2, 3, 4), m = 2 are those of the worked example", () => {
    const found = [...orderedSamples([1, 2, 3, 4], 2).values()];
    const expected = [1 / 45, 1 / 30, 2 / 45, 1 / 40, 3 / 40, 1 / 10, 3 / 70, 3 / 35, 6 / 35, 1 / 15, 2 / 15, 1 / 5];
    expect(found).toHaveLength(12);
    for (const [i, probability] of expected.entries()) expect(found[i]).toBeCloseTo(probability, 12);
  });

  test.each<[number[], number]>([
    [[1, 2, 3, 4], 2],
    [[1, 2, 3, 4], 4],
    [[1, 1, 8], 2],
    [[1, 1e-6, 1, 2], 2],
    [[1e-6, 1, 1e-6], 3],
    [[5, 5, 5, 5], 3],
    [[1, 10, 100, 1000], 4],
  ])("w = %j, m = %d", (weights, count) => {
    const { statistic, cells } = statisticOf(weights, count, SEEDS);
    // Wilson and Hilferty's bound is too low for one or two degrees, where 30 is once in a million.
    expect(statistic).toBeLessThan(Math.max(30, chiSquareBounds(cells - 1).high));
  });

  test("a weight of 1e-6 beside 1 is drawn first once in a million, and last otherwise", () => {
    const first = Array.from({ length: SEEDS }, (_, seed) => drawn([1, 1e-6], 1, seed).indices[0]);
    expect(first.filter((i) => i === 1).length).toBeLessThan(4);
  });
});

describe("samples are included as often as the exact figures say", () => {
  test.each<[number[], number, number[]]>([
    [[1, 2, 3, 4], 2, [197 / 840, 139 / 315, 73 / 120, 451 / 630]],
    [[1, 2, 3, 4], 3, [377 / 840, 239 / 315, 731 / 840, 83 / 90]],
    [[1, 1, 8], 2, [23 / 45, 23 / 45, 44 / 45]], // not m · w / W
    [
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
      3,
      [
        0.06236072, 0.12231719, 0.17976022, 0.23458249, 0.28668174, 0.33596532, 0.38235669, 0.42580457, 0.46629601,
        0.50387506,
      ],
    ],
  ])("w = %j, m = %d", (weights, count, expected) => {
    expectShares(inclusion(weights, count, SEEDS), expected, SEEDS);
  });
});

test("expected ranks are 1 + Σ w_j / (w_i + w_j)", () => {
  const sums = [0, 0, 0, 0];
  for (let seed = 0; seed < SEEDS; seed++) {
    for (const [rank, i] of drawn([1, 2, 3, 4], 4, seed).indices.entries()) sums[i] += rank + 1;
  }
  // A rank from 1 to 4 has a standard deviation of at most 1.5.
  for (const [i, rank] of [193 / 60, 13 / 5, 311 / 140, 206 / 105].entries()) {
    expect(Math.abs(sums[i] / SEEDS - rank)).toBeLessThan((4.75 * 1.5) / Math.sqrt(SEEDS));
  }
});

describe("laws", () => {
  // Above 0 by enough that a power of two takes none of them out of float32.
  const weightLists = fc.array(fc.double({ min: 1e-3, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 60 });

  test("drawing all is a permutation, and its beginning is the sample of fewer", () => {
    fc.assert(
      fc.property(weightLists, fc.nat(), fc.nat(), (weights, seed, some) => {
        const all = drawn(weights, weights.length, seed);
        expect([...all.indices].sort((a, b) => a - b)).toEqual([...weights.keys()]);
        expect(all.threshold).toBe(Number.POSITIVE_INFINITY);
        const count = some % (weights.length + 1);
        expect(drawn(weights, count, seed).indices).toEqual(all.indices.slice(0, count));
      }),
      { seed: 1 },
    );
  });

  test("of a large set too, where a sample is found by a bound", () => {
    const weights = Float32Array.from({ length: 100_000 }, (_, i) => 1 + (i % 7));
    const all = weightedSample(weights, weights.length, random(1, "order", 0));
    for (const count of [1, 10, 1000, 30_000, 99_999]) {
      const some = weightedSample(weights, count, random(1, "order", 0));
      expect(some.indices).toEqual(all.indices.slice(0, count));
    }
  });

  test("weights times a power of two give the same sample, and a threshold divided by it", () => {
    fc.assert(
      fc.property(weightLists, fc.nat(), fc.integer({ min: -100, max: 100 }), (weights, seed, power) => {
        const count = weights.length >> 1;
        const first = drawn(weights, count, seed);
        const scaled = drawn(
          weights.map((weight) => Math.fround(weight) * 2 ** power),
          count,
          seed,
        );
        expect(scaled.indices).toEqual(first.indices);
        expect(scaled.threshold).toBe(first.threshold / 2 ** power);
      }),
      { seed: 2 },
    );
  });

  test.each([1e-45, 1e-30, 1, 1e30, 3.4e38])("weights of %d all are no other than weights of 1", (weight) => {
    const order = drawn(Array(200).fill(1), 200, 5).indices;
    expect(drawn(Array(200).fill(weight), 200, 5).indices).toEqual(order);
    expect(new Set(order).size).toBe(200);
  });

  test("a weight of 0 is never drawn", () => {
    for (let seed = 0; seed < 200; seed++) {
      const { indices, threshold } = drawn([0, 1, -0, 2], 2, seed);
      expect([...indices].sort()).toEqual([1, 3]);
      expect(threshold).toBe(Number.POSITIVE_INFINITY);
    }
  });

  test("the threshold is the next key: as many keys are below it as were drawn", () => {
    const weights = Float32Array.of(3, 1, 4, 1, 5, 9, 2, 6);
    const { keys, scale } = weightedKeys(weights, random(3, "order", 0));
    for (let count = 0; count < 8; count++) {
      const { threshold, indices } = weightedSample(weights, count, random(3, "order", 0));
      const below = [...keys.keys()].filter((i) => keys[i] * scale < threshold);
      expect([...indices].sort()).toEqual(below);
    }
  });

  test("another bulk call, seed or epoch draws another sample", () => {
    const weights = new Float32Array(50).fill(1);
    const numbers = random(0, "order", 0);
    const samples = [numbers, numbers, random(1, "order", 0), random(0, "order", 1)].map((place) =>
      weightedSample(weights, 50, place).indices.join(),
    );
    expect(new Set(samples).size).toBe(4);
  });
});

describe("the total of y = (7, −1, 5, 2), 13, from 2 of 4 drawn with w = (1, 2, 3, 4)", () => {
  const y = [7, -1, 5, 2];
  const w = [1, 2, 3, 4];
  const seeds = 200_000;

  /** Mean of an estimate over the seeds, with its standard error. */
  function estimated(estimate: (indices: Uint32Array, threshold: number) => number): { mean: number; error: number } {
    let sum = 0;
    let squares = 0;
    for (let seed = 0; seed < seeds; seed++) {
      const { indices, threshold } = drawn(w, 2, seed);
      const value = estimate(indices, threshold);
      sum += value;
      squares += value * value;
    }
    const mean = sum / seeds;
    return { mean, error: Math.sqrt((squares / seeds - mean * mean) / seeds) };
  }

  const total = (indices: Uint32Array, weightOf: (i: number) => number) =>
    indices.reduce((sum, i) => sum + y[i] * weightOf(i), 0);

  test("rank conditioning is right in the mean", () => {
    const { mean, error } = estimated((indices, threshold) =>
      total(indices, (i) => 1 / (1 - Math.exp(-w[i] * threshold))),
    );
    expect(error).toBeLessThan(0.1);
    expect(Math.abs(mean - 13)).toBeLessThan(4 * error);
  });

  test("n · mean is wrong: 11.348", () => {
    const { mean, error } = estimated((indices) => total(indices, () => 4 / 2));
    expect(Math.abs(mean - 11.348)).toBeLessThan(4 * error);
    expect(13 - mean).toBeGreaterThan(20 * error);
  });

  test("weights 1 / (m · p) are wrong on this sample: 13.964", () => {
    const { mean, error } = estimated((indices) => total(indices, (i) => 10 / (2 * w[i])));
    expect(Math.abs(mean - 13.964)).toBeLessThan(4 * error);
    expect(mean - 13).toBeGreaterThan(20 * error);
  });
});

describe("refuses", () => {
  test.each([Number.NaN, -1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("the weight %d", (weight) => {
    const message = `weight 2 is ${weight}, expected a finite number of at least 0: replace it before drawing`;
    expect(() => drawn([1, 1, weight, 1], 1, 0)).toThrow(new RangeError(message));
    expect(() => weightedKeys(Float32Array.of(1, 1, weight), random(0, "order", 0))).toThrow(new RangeError(message));
  });

  test("to draw more than have a positive weight", () => {
    expect(() => drawn([1, 0, 1, 0], 3, 0)).toThrow(
      new RangeError("cannot draw 3 samples without replacement where only 2 of the weights are above 0"),
    );
    expect(() => drawn([0, 0], 1, 0)).toThrow("only 0 of the weights");
    expect([...drawn([0, 0], 0, 0).indices]).toEqual([]);
  });

  test("a count that is none, and an `out` of another length", () => {
    expect(() => drawn([1], 2, 0)).toThrow("cannot take 2 of 1 samples, expected an integer from 0 to 1");
    expect(() => drawn([1], 0.5, 0)).toThrow("cannot take 0.5 of 1 samples");
    expect(() => weightedSample(Float32Array.of(1, 1), 1, random(0, "order", 0), new Uint32Array(2))).toThrow(
      "out has 2 entries, expected 1",
    );
  });

  test("weights too far apart for float32 keys", () => {
    expect(() => drawn([3e38, 1e-45], 1, 0)).toThrow(/^weight 1 is 1\.4\d*e-45 and the largest is 3\.0*5\d*e\+38/);
    expect([...drawn([3e38, 1e-26], 1, 0).indices]).toEqual([0]);
  });
});
