import { describe, expect, test } from "vitest";
import { batchesOf, LOSSES, ledgerWith, resultOf } from "./run-order.js";

const ledger = ledgerWith(LOSSES);
/** The mean of the eleven losses is 1.154…: samples 1, 3, 6 and 9 are at or above it. */
const HARD = [1, 3, 6, 9];
const EASY = [0, 2, 4, 5, 7, 8, 10];

const of = (seed: number, options: Record<string, unknown> = {}) =>
  resultOf("infobatch", { ledger, seed, options, epoch: 1, epochs: 10 });

describe("the definition, by hand", () => {
  test("what is at or above the mean is kept with weight 1; what is kept below it has weight 1 / (1 − r)", () => {
    for (let seed = 0; seed < 20; seed++) {
      const { indices, weights, inclusion } = of(seed, { r: 0.75 });
      expect([...indices].filter((index) => HARD.includes(index)).sort()).toEqual(HARD);
      expect(new Set(indices).size).toBe(indices.length);
      for (const [at, index] of indices.entries()) {
        expect(weights?.[at]).toBe(HARD.includes(index) ? 1 : 4);
        expect(inclusion?.[at]).toBe(HARD.includes(index) ? 1 : 0.25);
      }
    }
  });

  test("each of those below is left out with probability r, by itself", () => {
    const draws = 4000;
    const counts = new Map<number, number>();
    let pairs = 0;
    for (let seed = 0; seed < draws; seed++) {
      const kept = new Set(of(seed, { r: 0.25 }).indices);
      for (const index of kept) counts.set(index, (counts.get(index) ?? 0) + 1);
      pairs += Number(kept.has(0) && kept.has(2));
    }
    const sigma = Math.sqrt(draws * 0.25 * 0.75);
    for (const index of EASY) expect(Math.abs((counts.get(index) ?? 0) - 0.75 * draws)).toBeLessThan(4 * sigma);
    expect(Math.abs(pairs / draws - 0.75 ** 2)).toBeLessThan(4 * Math.sqrt(0.25 / draws));
  });
});

/** A gradient of each sample, that has nothing to do with its loss but for the sign of the bias. */
const GRADIENTS = [7, -1, 5, 2, 0.5, -3, 4, 1, 6, -2, 3];
const TRUTH = GRADIENTS.reduce((sum, gradient) => sum + gradient);

test("the weighted sum is unbiased: exactly over all that may be kept, and so over seeds; without weights it is not", () => {
  const r = 0.5;
  const hard = HARD.reduce((sum, index) => sum + GRADIENTS[index], 0);
  let exact = 0;
  for (let subset = 0; subset < 2 ** EASY.length; subset++) {
    const kept = EASY.filter((_, at) => (subset >> at) & 1);
    const p = (1 - r) ** kept.length * r ** (EASY.length - kept.length);
    exact += p * (hard + kept.reduce((sum, index) => sum + GRADIENTS[index] / (1 - r), 0));
  }
  expect(exact).toBeCloseTo(TRUTH, 10);

  const sums = Array.from({ length: 4000 }, (_, seed) => {
    const { indices, weights } = of(seed, { r });
    const sum = (weightOf: (at: number) => number) =>
      indices.reduce((total, index, at) => total + weightOf(at) * GRADIENTS[index], 0);
    return { weighted: sum((at) => weights?.[at] ?? 1), plain: sum(() => 1) };
  });
  const meanOf = (which: "weighted" | "plain") => sums.reduce((total, sum) => total + sum[which], 0) / sums.length;
  const deviation = Math.sqrt(sums.reduce((total, { weighted }) => total + (weighted - TRUTH) ** 2, 0) / sums.length);
  const standardError = deviation / Math.sqrt(sums.length);
  expect(Math.abs(meanOf("weighted") - TRUTH)).toBeLessThan(4 * standardError);
  expect(Math.abs(meanOf("plain") - TRUTH)).toBeGreaterThan(10 * standardError);
});

describe("nothing is left out", () => {
  const whole = (epoch: number, options: Record<string, unknown>, losses: readonly number[] = LOSSES) => {
    const inputs = { ledger: ledgerWith(losses), epoch, epochs: 8 };
    const result = resultOf("infobatch", { ...inputs, options });
    const isShuffled = [...result.indices].join() === batchesOf("shuffled", inputs).flat().join();
    return isShuffled && result.weights === undefined;
  };

  test("from delta of the run on: 0.875 of 8 epochs is before the last one", () => {
    expect([5, 6, 7].map((epoch) => whole(epoch, {}))).toEqual([false, false, true]);
    expect([0, 3, 4].map((epoch) => whole(epoch, { delta: 0.5 }))).toEqual([false, false, true]);
    expect(whole(7, { delta: 1 })).toBe(false);
  });

  test("where no loss is known, with r: 0, and where all are alike", () => {
    expect(whole(0, {}, Array(11).fill(Number.NaN))).toBe(true);
    expect(whole(0, { r: 0 })).toBe(true);
    const alike = resultOf("infobatch", { ledger: ledgerWith(Array(11).fill(Math.fround(0.1))), epochs: 8 });
    expect(alike.indices.length).toBe(11);
    expect(new Set(alike.weights)).toEqual(new Set([1]));
  });

  test("of samples never seen", () => {
    const some = LOSSES.map((loss, index) => (EASY.includes(index) && index < 5 ? Number.NaN : loss));
    for (let seed = 0; seed < 20; seed++) {
      const { indices } = resultOf("infobatch", { ledger: ledgerWith(some), seed, epochs: 8, options: { r: 0.9 } });
      expect([...indices]).toEqual(expect.arrayContaining([0, 2, 4]));
    }
  });
});

test.each([{ r: 1 }, { r: -0.1 }, { delta: 1.5 }])("refuses %j", (options) => {
  expect(() => resultOf("infobatch", { options })).toThrow();
});
