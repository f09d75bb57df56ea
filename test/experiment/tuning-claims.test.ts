// How often a difference is claimed between two tuned arms that are alike at each rate: what the notes and docs/CONFIG.md say.
import { expect, test } from "vitest";
import { bestOf, type Tried } from "../../src/experiment/tuning/rank-trials.js";
import { random } from "../../src/kernels/random.js";

/** Accuracies in %, of a shuffle on 1,150 of the real digits, 12 runs at each rate: mean and sd of validation and test. */
const LAWS = [
  { rate: 0.005, validation: [94.63, 0.62], test: [93.56, 0.64] },
  { rate: 0.01, validation: [95.53, 0.53], test: [95.09, 0.52] },
  { rate: 0.02, validation: [96.2, 0.52], test: [95.76, 0.7] },
  { rate: 0.04, validation: [95.7, 1.24], test: [95.9, 0.95] },
  { rate: 0.08, validation: [93.47, 2.93], test: [94.07, 2.31] },
];
/** Two rates of which one is a little better. */
const CLOSE = (difference: number): typeof LAWS => [
  { rate: 0.01, validation: [95, 1], test: [95, 1] },
  { rate: 0.02, validation: [95 + difference, 1], test: [95 + difference, 1] },
];
const SEEDS = 9;
/** Of Student's t with 8 degrees of freedom, two-sided. */
const CRITICAL = 2.306;
const EXPERIMENTS = 4000;

const numbers = random(7, "tuning", 0);
const normal = ([mean, sd]: readonly number[]): number =>
  mean + sd * Math.sqrt(-2 * Math.log(1 - numbers.uniform())) * Math.cos(2 * Math.PI * numbers.uniform());
const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function tune(laws: typeof LAWS, seeds: number): (typeof LAWS)[number] {
  const tried = laws.map(({ rate, validation }): Tried => {
    const mean = meanOf(Array.from({ length: seeds }, () => normal(validation)));
    return { trial: { rate, values: [], diverged: 0, mean, sd: null }, sums: { accuracy: -mean, loss: 0 } };
  });
  const best = bestOf(tried, "accuracy");
  return laws.find(({ rate }) => rate === best?.rate) ?? laws[0];
}

/** By the paired t test. */
function isClaimed(one: readonly number[], other: readonly number[]): boolean {
  const differences = Array.from({ length: SEEDS }, () => normal(one) - normal(other));
  const mean = meanOf(differences);
  const variance = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (SEEDS - 1);
  return Math.abs(mean) > CRITICAL * Math.sqrt(variance / SEEDS);
}

const shareClaimed = (laws: typeof LAWS, tuningSeeds: number): number =>
  meanOf(
    Array.from({ length: EXPERIMENTS }, () =>
      isClaimed(tune(laws, tuningSeeds).test, tune(laws, tuningSeeds).test) ? 1 : 0,
    ),
  );

test("the share of false claims is what is said, and falls with the seeds that are tuned with", () => {
  const shares = [3, 5, 9, 30].map((seeds) => shareClaimed(LAWS, seeds));
  const said = [0.12, 0.08, 0.06, 0.05];
  for (const [at, share] of shares.entries()) expect(Math.abs(share - said[at])).toBeLessThan(0.01);
  expect(shares.toSorted((a, b) => b - a)).toEqual(shares);
});

test("where two rates are close, as many seeds to tune with as are under test keep it below a tenth", () => {
  const shares = [0.25, 0.5, 0.75, 1].map((difference) => shareClaimed(CLOSE(difference), SEEDS));
  expect(Math.max(...shares)).toBeLessThan(0.1);
  expect(Math.max(...shares)).toBeGreaterThan(0.06);
});
