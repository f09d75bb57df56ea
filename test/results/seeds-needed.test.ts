import { expect, test } from "vitest";
import {
  runsForFisher,
  seedsForWilcoxon,
  smallestFisherP,
  smallestWilcoxonP,
  tooFewSeeds,
} from "../../src/results/seeds-needed.js";

test("the floor of the signed-rank test: 6 seeds can show 1 comparison, 7 show 3, 8 show 6, 9 show 12", () => {
  const shown = (seeds: number) => {
    let comparisons = 0;
    while (smallestWilcoxonP(seeds, comparisons + 1) < 0.05) comparisons += 1;
    return comparisons;
  };
  expect([4, 5, 6, 7, 8, 9].map(shown)).toEqual([0, 0, 1, 3, 6, 12]);
  expect([1, 2, 3, 4, 6, 7, 12, 13].map((comparisons) => seedsForWilcoxon(comparisons))).toEqual([
    6, 7, 7, 8, 8, 9, 9, 10,
  ]);
  expect(smallestWilcoxonP(1, 3)).toBe(1);
});

test("the floor of Fisher's test: one way of all to choose who diverged, two where arms are alike", () => {
  expect(smallestFisherP(3, 3)).toBeCloseTo(2 / 20, 12);
  expect(smallestFisherP(4, 4)).toBeCloseTo(2 / 70, 12);
  expect(smallestFisherP(2, 5)).toBeCloseTo(1 / 21, 12);
  expect(smallestFisherP(5, 2)).toBeCloseTo(1 / 21, 12);
  expect([smallestFisherP(1, 1), smallestFisherP(0, 3)]).toEqual([1, 1]);
  expect([runsForFisher(), runsForFisher(0.001)]).toEqual([4, 7]);
});

test("too few seeds, and how many are enough", () => {
  const left = "so its p is left out";
  expect(tooFewSeeds(5, 3)).toBe(
    `5 seeds cannot show p < 0.05 with the exact signed-rank test over 3 tests, ${left}; 7 can`,
  );
  expect(tooFewSeeds(5, 1)).toBe(`5 seeds cannot show p < 0.05 with the exact signed-rank test, ${left}; 6 can`);
  expect(tooFewSeeds(6, 1, 0.01)).toBe(`6 seeds cannot show p < 0.01 with the exact signed-rank test, ${left}; 8 can`);
  expect(tooFewSeeds(6, 1)).toBeUndefined();
  expect(tooFewSeeds(7, 3)).toBeUndefined();
  expect(tooFewSeeds(1, 1)).toMatch(/^1 paired seed shows nothing/);
  expect(tooFewSeeds(2, 1)).toBe("2 paired seeds show nothing about others: intervals and tests begin with 3");
});
