import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { emptyLedger } from "../../src/orders/context.js";
import type { OrderResult } from "../../src/orders/contract.js";
import { effectiveSize } from "../../src/orders/effective-size.js";
import {
  type Looked,
  type Monitored,
  monitorsOf,
  nothingWatched,
  rankCorrelation,
  watch,
} from "../../src/training/monitors.js";
import { Scene } from "../experiment/scene.js";

/** Of six samples of which five are eligible, unless told otherwise. */
function monitors(result: Partial<OrderResult>, more: Partial<Monitored & Looked> = {}) {
  const indices = result.indices ?? Uint32Array.of(0, 1, 2, 3, 4);
  const watched = nothingWatched();
  watch(watched, { result: { ...result, indices }, eligibleCount: 5, ledger: undefined, step: 10, ...more });
  return monitorsOf(watched, { indices, n: 6, before: undefined, knowsProbabilities: true, ...more });
}

test("of each sample once, with nothing more: the number of samples, and no member that does not apply", () => {
  expect(monitors({})).toEqual({ distinct: 5, mostDrawn: 1, effectiveDataSize: 5 });
});

test("Σ1/q over the drawn as a share of the eligible, by hand: (1/0.5 + 1/0.4) / 5; a replay says no probabilities", () => {
  const drawn = { indices: Uint32Array.of(3, 0), inclusion: Float64Array.of(0.5, 0.4) };
  expect(monitors(drawn).meanInverseInclusion).toBeCloseTo(0.9, 12);
  expect(monitors(drawn, { knowsProbabilities: false })).not.toHaveProperty("effectiveDataSize");
});

test("draws 1 1 4 1 4 0: three samples, the most-drawn one three times", () => {
  const { distinct, mostDrawn } = monitors({ indices: Uint32Array.of(1, 1, 4, 1, 4, 0) });
  expect({ distinct, mostDrawn }).toEqual({ distinct: 3, mostDrawn: 3 });
});

describe("effective data size, 1/Σp²", () => {
  const of = (...probabilities: number[]) =>
    monitors({ probabilities: Float64Array.from(probabilities) }).effectiveDataSize;

  test("is n where all are alike, 1 where one is certain, by hand between", () => {
    expect(of(0.25, 0.25, 0.25, 0.25)).toBe(4);
    expect(of(0, 1, 0, 0)).toBe(1);
    expect(of(0.5, 0.25, 0.25, 0)).toBe(1 / (0.25 + 0.0625 + 0.0625)); // 8/3
  });

  test("without probabilities all eligible samples are alike", () => {
    expect(monitors({ indices: Uint32Array.of(2) }).effectiveDataSize).toBe(5);
  });
});

test("weights 1, 2, 3, 2: Kish's (Σw)²/Σw² is 64/18, their mean 2", () => {
  const { effectiveSampleSize, meanWeight } = monitors({
    indices: Uint32Array.of(0, 1, 2, 3),
    weights: Float32Array.of(1, 2, 3, 2),
  });
  expect({ effectiveSampleSize, meanWeight }).toEqual({ effectiveSampleSize: 64 / 18, meanWeight: 2 });
});

test("the effective size is between 1 and the number of values, and does not change with their scale", () => {
  const values = fc.array(fc.double({ min: 1e-3, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(values, fc.integer({ min: -8, max: 8 }), (numbers, power) => {
      const size = effectiveSize(Float64Array.from(numbers));
      expect(size).toBeGreaterThan(1 - 1e-12);
      expect(size).toBeLessThan(numbers.length * (1 + 1e-12));
      expect(effectiveSize(Float64Array.from(numbers, (value) => value * 2 ** power))).toBeCloseTo(size, 9);
    }),
  );
});

describe("mean age of the losses", () => {
  const seenAt = (...seenAtStep: number[]) => ({ ...emptyLedger(6), seenAtStep: Int32Array.from(seenAtStep) });

  test("is over the samples drawn, those never seen left out: steps 7, 9 and 9 at step 10 are 3, 1 and 1 old", () => {
    const ledger = seenAt(7, 9, -1, 0, 0, 0);
    expect(monitors({ indices: Uint32Array.of(0, 1, 2, 1) }, { ledger }).meanLossAgeSteps).toBe(5 / 3);
  });

  test("is left out where none was seen, and for an order that does not look", () => {
    expect(monitors({}, { ledger: emptyLedger(6) })).not.toHaveProperty("meanLossAgeSteps");
    expect(monitors({})).not.toHaveProperty("meanLossAgeSteps");
  });
});

describe("rank correlation with the last order", () => {
  const correlation = (before: readonly number[], now: readonly number[], n = 10) =>
    rankCorrelation(Uint32Array.from(before), Uint32Array.from(now), n);

  test("of the same is 1, of the reverse −1", () => {
    expect(correlation([4, 0, 2, 5], [4, 0, 2, 5])).toBe(1);
    expect(correlation([4, 0, 2, 5], [5, 2, 0, 4])).toBe(-1);
  });

  test("of two subsets is over the samples in both: ranks 1 2 3 and 2 1 3 are 1 − 6·2/(3·8)", () => {
    expect(correlation([8, 4, 0, 2, 7], [9, 0, 4, 3, 2])).toBe(0.5);
  });

  test("of a sample that comes again, the first place counts", () => {
    expect(correlation([1, 2, 1, 3], [1, 3, 3, 2, 1])).toBe(correlation([1, 2, 3], [1, 3, 2]));
  });

  test("of fewer than two samples in both there is none", () => {
    expect(correlation([1, 2], [2, 3])).toBeUndefined();
    expect(correlation([1, 2], [3, 4])).toBeUndefined();
    expect(monitors({}, { before: Uint32Array.of(4) })).not.toHaveProperty("rankCorrelation");
    expect(monitors({}, { before: Uint32Array.of(4, 3, 2, 1, 0) }).rankCorrelation).toBe(-1);
  });

  /** Pearson's correlation of the places in the lists of what both hold. */
  function pearsonOfRanks(a: readonly number[], b: readonly number[]): number {
    const common = a.filter((index) => b.includes(index));
    const inB = b.filter((index) => a.includes(index));
    const x = common.map((_, place) => place);
    const y = common.map((index) => inB.indexOf(index));
    const mean = (common.length - 1) / 2;
    const products = (p: readonly number[], q: readonly number[]) =>
      p.reduce((sum, value, at) => sum + (value - mean) * (q[at] - mean), 0);
    return products(x, y) / Math.sqrt(products(x, x) * products(y, y));
  }

  test("is Pearson's correlation of the ranks, for any two orders", () => {
    const order = fc.uniqueArray(fc.nat(19), { minLength: 12, maxLength: 20 }); // of 20: at least 4 in both
    fc.assert(
      fc.property(order, order, (a, b) => {
        expect(correlation(a, b, 20)).toBeCloseTo(pearsonOfRanks(a, b), 12);
      }),
    );
  });
});

describe("in metrics.jsonl", () => {
  const orders = (scene: Scene, arm: string) => scene.metrics(arm, 0).map(({ order }) => order);

  test("a line an epoch, from the second on with the correlation: 1 for frozen, another for shuffled", async () => {
    const scene = new Scene();
    const { client } = await scene.run({ settings: ["seeds=1", "backend.chunkBatches=100"] });
    const aNumber: unknown = expect.any(Number);
    const mixture = {
      classesPerBatch: aNumber,
      classesPerBatchByChance: aNumber,
      classDistance: aNumber,
      classDistanceByChance: aNumber,
    };
    const usual = { distinct: 24, mostDrawn: 1, effectiveDataSize: 24, ...mixture };
    const repeated = { ...usual, rankCorrelation: 1 };
    expect(orders(scene, "frozen")).toEqual([usual, repeated, repeated]);
    const [first, second, third] = client.sentOf("train").slice(3);
    const correlations = [
      rankCorrelation(first.arrays.indices, second.arrays.indices, 24),
      rankCorrelation(second.arrays.indices, third.arrays.indices, 24),
    ];
    expect(orders(scene, "shuffled")).toEqual([
      usual,
      ...correlations.map((value) => ({ ...usual, rankCorrelation: value })),
    ]);
    for (const value of correlations) expect(Math.abs(value ?? 1)).toBeLessThan(0.9);
  });
});
