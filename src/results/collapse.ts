/** Runs whose network answers one class whatever it is shown. */
import { PERCENT } from "./number-text.js";
import type { TimedRun } from "./recorded-experiment.js";

export interface Collapse {
  readonly runs: number;
  /** Of so many that are done. */
  readonly of: number;
  /** Whether predictions show it; else equal accuracies do. */
  readonly isSeen: boolean;
}

/** Undefined where no run of the arm collapsed. */
export function collapseOf(runs: readonly TimedRun[]): Collapse | undefined {
  const done = runs.filter(({ state }) => state === "done");
  const seen = done.map(({ answersOneClass }) => answersOneClass);
  const count = seen.filter((one) => one === true).length;
  if (count > 0) return { runs: count, of: done.length, isSeen: true };
  const isUnknown = seen.every((one) => one === undefined);
  return isUnknown && areOneShare(done) ? { runs: done.length, of: done.length, isSeen: false } : undefined;
}

export const isWhole = (collapse: Collapse | undefined): boolean =>
  collapse !== undefined && collapse.runs === collapse.of;

/** So many networks do not come to the same count of right answers unless they answer alike. */
const FEWEST = 3;
/** Above it, equal accuracies may be those of networks that are all (nearly) right. */
const HIGHEST_SHARE = 0.5;

function areOneShare(done: readonly TimedRun[]): boolean {
  const accuracies = done.map(({ metrics }) => metrics.at(-1)?.test?.accuracy);
  const [first] = accuracies;
  return (
    done.length >= FEWEST &&
    first !== undefined &&
    first <= HIGHEST_SHARE &&
    accuracies.every((accuracy) => accuracy === first)
  );
}

/** As a person would say it; begins after the arm's name. */
export function collapseText(collapse: Collapse, accuracy: number | null): string {
  const share = accuracy === null ? "" : ` (${(PERCENT * accuracy).toFixed(2)} %)`;
  if (!collapse.isSeen)
    return `collapsed: the same accuracy with every seed${share}, as of a network that answers one class whatever it sees`;
  if (isWhole(collapse)) return `collapsed: with every seed it answers one class for all test samples${share}`;
  return `collapsed in ${collapse.runs} of ${collapse.of} runs: ${collapse.runs === 1 ? "it answers" : "they answer"} one class for all test samples`;
}
