/**
 * Differences between successive indices. Those that an epoch does not draw are left out and the rest renumbered, so
 * that what is looked at is always a permutation; of an index that comes again the first place counts.
 *
 * In a uniform permutation of m the step d comes (m − |d|)/m times in the mean, with the factorial moments
 * (m − |d|)_j / (m)_j, which are at most those of a Poisson distribution: its tail bounds the true one.
 */
import { between, firstPlaces, NOT_DRAWN, type Outcome, type Sequences, type Test } from "./sequences.js";
import { firstCount, poissonAtLeast, poissonAtMost, twoSided } from "./tails.js";

export function steps({ all, n }: Sequences): Outcome[] {
  const permutations = all.map(({ indices }) => renumbered(indices, n));
  const most = permutations.reduce((longest, { length }) => Math.max(longest, length), 0);
  const counts = new Uint32Array(2 * most + 1);
  for (const permutation of permutations) {
    for (let at = 1; at < permutation.length; at++) counts[permutation[at] - permutation[at - 1] + most]++;
  }
  const lengths = permutations.map(({ length }) => length);
  return [neighbours(counts[most - 1] + counts[most + 1], lengths), commonest(counts, most, lengths)];
}

/** The numbers 0 … m-1 in the sequence of the m distinct indices. */
function renumbered(indices: Uint32Array, n: number): Uint32Array {
  const places = firstPlaces(indices, n);
  const numbers = new Uint32Array(n);
  let m = 0;
  for (let index = 0; index < n; index++) if (places[index] !== NOT_DRAWN) numbers[index] = m++;
  return indices.filter((index, at) => places[index] === at).map((index) => numbers[index]);
}

/** How often i comes beside i + 1, in one sequence or the other. */
function neighbours(count: number, lengths: readonly number[]): Test {
  const mean = lengths.reduce((sum, m) => sum + (2 * (m - 1)) / m, 0);
  return {
    name: "neighbours i, i ± 1",
    seen: String(count),
    usual: usualPoisson(mean),
    p: twoSided({ low: poissonAtMost(count, mean), high: poissonAtLeast(count, mean) }),
  };
}

export function usualPoisson(mean: number): string {
  const upTo = (share: number) => firstCount((count) => poissonAtMost(count, mean) >= share);
  return `${mean.toFixed(1)} (${between(upTo(0.025), upTo(0.975))})`;
}

function commonest(counts: Uint32Array, zero: number, lengths: readonly number[]): Test {
  const count = counts.reduce((largest, times) => Math.max(largest, times), 0);
  const step = counts.indexOf(count) - zero;
  return {
    name: "most frequent step",
    seen: `${count} × ${step < 0 ? "−" : "+"}${Math.abs(step)}`,
    usual: usualLargest((times) => anyStepAtLeast(times, lengths)),
    p: anyStepAtLeast(count, lengths),
  };
}

/** What the largest of many counts is, by the probability (a bound) that any reaches a count. */
export function usualLargest(reaches: (count: number) => number): string {
  const upTo = (share: number) => firstCount((count) => reaches(count + 1) <= share);
  return `${upTo(0.5)} (≤ ${upTo(0.05)})`;
}

/** Parts of the steps 1 … m-1 in each of which the mean is taken for constant. */
const PARTS = 1024;

/** At most the probability that any step comes so often. */
function anyStepAtLeast(count: number, lengths: readonly number[]): number {
  const most = Math.max(...lengths);
  const parts = Math.min(PARTS, most - 1);
  const width = (most - 1) / parts;
  let sum = 0;
  for (let part = 0; part < parts; part++) {
    const step = 0.5 + (part + 0.5) * width;
    const mean = lengths.reduce((total, m) => total + Math.max(0, m - step) / m, 0);
    sum += 2 * width * poissonAtLeast(count, mean);
  }
  return Math.min(1, sum);
}
