/** How many paired seeds it takes before a test can show anything, in words. */
import { counted } from "./number-text.js";

/** Below it a planned comparison claims something. */
export const ALPHA = 0.05;

/** Pairs from which on there are intervals and t tests. */
export const LEAST_PAIRS = 3;

/** The least p that the exact signed-rank test can give after Holm's correction: all differences of one sign. */
export const smallestWilcoxonP = (seeds: number, tests: number): number => Math.min(1, tests * 2 ** (1 - seeds));

/** Paired seeds with which the exact signed-rank test can show p < alpha among so many tests. */
export function seedsForWilcoxon(tests: number, alpha = ALPHA): number {
  let seeds = 1;
  while (smallestWilcoxonP(seeds, tests) >= alpha) seeds += 1;
  return seeds;
}

/** The least p that Fisher's exact test of so many runs can give: all of one arm diverged, and none of the other. */
export function smallestFisherP(runs: number, others: number): number {
  let waysToChoose = 1;
  for (let at = 1; at <= runs; at += 1) waysToChoose = (waysToChoose * (others + at)) / at;
  return Math.min(1, (runs === others ? 2 : 1) / waysToChoose);
}

/** Runs of each arm with which Fisher's exact test can show p < alpha. */
export function runsForFisher(alpha = ALPHA): number {
  let runs = 1;
  while (smallestFisherP(runs, runs) >= alpha) runs += 1;
  return runs;
}

/** That so few seeds cannot show anything, by any test or by the signed-rank test; undefined where they can. */
export function tooFewSeeds(seeds: number, tests: number, alpha = ALPHA): string | undefined {
  if (seeds < LEAST_PAIRS)
    return `${counted(seeds, "paired seed")} ${seeds === 1 ? "shows" : "show"} nothing about others: intervals and tests begin with ${LEAST_PAIRS}`;
  if (tests === 0 || smallestWilcoxonP(seeds, tests) < alpha) return undefined;
  const over = tests === 1 ? "" : ` over ${tests} tests`;
  const enough = seedsForWilcoxon(tests, alpha);
  return `${counted(seeds, "seed")} cannot show p < ${alpha} with the exact signed-rank test${over}, so its p is left out; ${enough} can`;
}
