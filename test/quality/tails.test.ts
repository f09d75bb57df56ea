import { describe, expect, test } from "vitest";
import {
  firstCount,
  gammaTails,
  holm,
  normalBeyond,
  poissonAtLeast,
  poissonAtMost,
  twoSided,
} from "../../src/quality/tails.js";

/** Relative, so that the smallest tails are held to it, too. */
const near = (value: number, expected: number, relative = 1e-9) =>
  expect(Math.abs(value / expected - 1), `${value} against ${expected}`).toBeLessThan(relative);

describe("tails are scipy's", () => {
  // shape, x, scipy.stats.gamma.cdf and .sf (scipy 1.17)
  test.each([
    [0.5, 0.02, 0.15851941887820603, 0.841480581121794],
    [0.5, 12.5, 0.9999994266968563, 5.733031437583875e-7],
    [3, 0.1, 0.00015465307026467172, 0.9998453469297354],
    [3, 2.5, 0.45618688411667035, 0.5438131158833297],
    [3, 30, 0.9999999999549898, 4.501016648012131e-11],
    [40, 41, 0.5829485789294043, 0.4170514210705957],
    [40, 90, 0.9999999988519196, 1.1480803801482904e-9],
    [1234.5, 1300, 0.9672385594939216, 0.03276144050607838],
    [250000, 249000, 0.022642042198113284, 0.9773579578018867],
    [250000, 253000, 0.9999999988624112, 1.1375887844939212e-9],
  ])("of a gamma distribution of shape %d at %d", (shape, x, low, high) => {
    const tails = gammaTails(shape, x);
    near(tails.low, low);
    near(tails.high, high);
    expect(twoSided(tails)).toBe(2 * Math.min(tails.low, tails.high));
  });

  // count, mean, scipy.stats.poisson.cdf(count), .sf(count - 1)
  test.each([
    [0, 2, 0.1353352832366127, 1],
    [3, 2, 0.857123460498547, 0.32332358381693654],
    [20, 2, 0.9999999999999939, 6.443731393112101e-14],
    [33, 12, 0.999999845211408, 4.4503152216883815e-7],
    [500, 496, 0.5828639498795188, 0.43468966985440216],
  ])("of a Poisson distribution: %d where %d are expected", (count, mean, atMost, atLeast) => {
    near(poissonAtMost(count, mean), atMost);
    near(poissonAtLeast(count, mean), atLeast);
  });

  // 2 · scipy.stats.norm.sf
  test.each([
    [0, 1],
    [0.5, 0.6170750774519738],
    [-1.96, 0.04999579029644087],
    [6, 1.973175290075389e-9],
    [30, 9.813427854295816e-198],
  ])("of a normal distribution, both sides, at %d", (z, beyond) => {
    near(normalBeyond(z), beyond);
  });
});

test("a value that cannot be less has nothing below it", () => {
  expect(gammaTails(3, 0)).toEqual({ low: 0, high: 1 });
});

test("two sides are never more than certain", () => {
  expect(twoSided({ low: 0.7, high: 0.6 })).toBe(1);
});

test("Holm: each p by the number that is left, never below the one before", () => {
  expect(holm([0.04, 0.01, 0.02, 0.6])).toEqual([0.08, 0.04, 0.06, 0.6]);
  expect(holm([0.5, 0.4])).toEqual([0.8, 0.8]);
  expect(holm([])).toEqual([]);
});

test.each([0, 1, 2, 3, 17, 1000])("the first count that is at least %d", (least) => {
  expect(firstCount((count) => count >= least)).toBe(least);
});
