/** What a reader must know of the findings as a whole, in words. */
import type { Comparison, Target } from "./findings.js";
import type { Measures } from "./measures.js";
import { PERCENT } from "./number-text.js";
import type { TimedRun } from "./recorded-experiment.js";
import { BCA_WARNING, LEAST_PAIRS_FOR_BCA, tooFewSeeds, whatCarriesTheClaim } from "./statistics.js";

export function notesOn(measures: Measures, comparisons: readonly Comparison[], runs: readonly TimedRun[]): string[] {
  const notes = [...claimNotes(measures, comparisons), ...targetNotes(measures, runs)];
  return notes.filter((note) => note !== undefined);
}

function claimNotes({ baseline, arms }: Measures, comparisons: readonly Comparison[]): (string | undefined)[] {
  if (arms.length < 2) return [];
  if (comparisons.length === 0) return [baseline === undefined ? NO_BASELINE : undefined];
  const pairs = Math.max(...comparisons.map(({ accuracy }) => accuracy.n));
  if (pairs < 2) return [pairs === 0 ? undefined : ONE_SEED];
  const planned = comparisons.filter((one) => one.planned).length;
  return [
    whatCarriesTheClaim(planned, comparisons.length - planned),
    tooFewSeeds(pairs, planned),
    planned > 1 ? "An interval is of its comparison alone: Holm's correction is of p, not of intervals" : undefined,
    pairs < LEAST_PAIRS_FOR_BCA ? undefined : upperFirst(BCA_WARNING),
  ];
}

const NO_BASELINE = "No arm is the baseline, so none is compared with it: name one in the config (baseline: …)";
const ONE_SEED =
  "One seed in common says nothing about others: differences between arms have no interval and claim nothing";

function targetNotes({ target, baseline, arms }: Measures, runs: readonly TimedRun[]): (string | undefined)[] {
  if (target === null) return [];
  const isSparse = runs.some(({ metrics }) => metrics.some(({ test }) => test === undefined));
  const missed = arms.some(({ cost }) => cost !== null && cost.notReached > 0);
  return [
    `Costs are up to the end of the first epoch with ${describeTarget(target, baseline)}; a later epoch may be below it again`,
    isSparse
      ? "Not every epoch was evaluated: a cost may be too high by the epochs between two evaluations"
      : undefined,
    missed
      ? "Where runs never reach the target, the median stands for the mean: they count as dearer than any"
      : undefined,
  ];
}

export function describeTarget({ accuracy, from }: Target, baseline: string | undefined): string {
  const share = `${(PERCENT * accuracy).toFixed(2)} % test accuracy`;
  return from === "config" ? `${share} (targetAccuracy)` : `${share}, the mean that ${baseline} ends with`;
}

const upperFirst = (text: string): string => text[0].toUpperCase() + text.slice(1);
