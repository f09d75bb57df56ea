// How many candidates a batch has: as many as are declared, which is what budgets charge.
import { expect, test } from "vitest";
import { consecutive } from "../../src/kernels/consecutive.js";
import { CandidateLaws } from "../../src/orders/candidates.js";

/** Of an epoch of `eligible` samples, numbers of candidates that a batch may have. */
function allowed(eligible: number, epochShare: number, candidatesPerSample: number, place: [number, number]): number[] {
  const [first, count] = place;
  const laws = new CandidateLaws(eligible, consecutive(eligible), { epochShare, candidatesPerSample });
  const numbers = Array.from({ length: eligible }, (_, at) => at + 1);
  return numbers.filter((named) => laws.fault(consecutive(named), { first, count }) === undefined);
}

test("where none are declared, as many as the batch holds at least, each once and eligible", () => {
  const laws = new CandidateLaws(24, consecutive(20), undefined);
  const lawsOf = (named: readonly number[]) => laws.fault(Uint32Array.from(named), { first: 0, count: 2 })?.law;
  expect([[0, 1], [7, 3, 9], [...consecutive(20)]].map(lawsOf)).toEqual([undefined, undefined, undefined]);
  expect([[0], [0, 0], [0, 21]].map(lawsOf)).toEqual([
    "there are as many candidates as the batch holds",
    "each candidate comes once",
    "candidates are eligible",
  ]);
});

test.each<[string, number, number, number, [number, number], number[]]>([
  ["two for each sample", 24, 1 / 2, 2, [0, 5], [10]],
  ["of a part of one, rounded either way", 24, 0.3, 1 / 0.3, [0, 4], [13, 14]],
  ["never more than are eligible", 24, 1, 7, [0, 5], [24]],
  ["of the last batch what is left, or as many", 24, 1 / 2, 2, [10, 2], [4]],
  ["of the last batch of a share that is rounded down", 25, 1 / 3, 3, [5, 3], [9, 10]],
  ["of the last batch of a share that is rounded up", 11, 1 / 2, 2, [3, 3], [5, 6]],
  [
    "of the last batch of one that goes round, as many as it holds at least",
    24,
    1,
    3,
    [20, 4],
    [4, 5, 6, 7, 8, 9, 10, 11, 12],
  ],
])("%s: of %i samples, share %d, %d a sample, at %j", (_, eligible, epochShare, perSample, place, expected) => {
  expect(allowed(eligible, epochShare, perSample, place)).toEqual(expected);
});
