/** What it costs to reach a test accuracy: pure functions over what runs recorded. */

import type { EpochMetrics, EpochTimings } from "../record/epoch-metrics.js";
import type {
  ArmCost,
  Cost,
  CostKind,
  CostSpread,
  RunCost,
  Seconds,
  SecondsKind,
} from "../record/findings-document.js";
import type { RunStatus } from "../record/run-document.js";
import type { ValuesBySeed } from "../record/statistics-document.js";
import { forwardEquivalents } from "../record/work.js";
import { largestOf } from "./extremes.js";

/** A run as recorded: `metrics.jsonl` and `timings.jsonl`. */
export interface RecordedRun {
  readonly seed: number;
  readonly state: RunStatus;
  readonly metrics: readonly EpochMetrics[];
  readonly timings: readonly EpochTimings[];
}

/** Accuracies of the same count of right answers are equal, however their mean was rounded. */
const SAME = 1e-12;

/**
 * The cost to reach a test accuracy (0 … 1). Only epochs that were evaluated can reach it, so with
 * `evaluation: { every: k }` a cost is up to k - 1 epochs too high; and the first time at the target may be luck: the
 * run can be below it again.
 */
export function costToReach(run: RecordedRun, target: number): RunCost {
  const { seed, state, metrics } = run;
  const accuracies = metrics.flatMap(({ test }) => (test === undefined ? [] : [test.accuracy]));
  const at = metrics.findIndex(({ test }) => test !== undefined && test.accuracy >= target - SAME);
  return {
    seed,
    state,
    cost: at < 0 ? null : costOf(run, at + 1),
    best: accuracies.length === 0 ? null : largestOf(accuracies),
  };
}

/** The cost of a run's first epochs; of all that it recorded by default. */
export function costOf({ metrics, timings }: RecordedRun, epochs = metrics.length): Cost {
  const counted = metrics.slice(0, epochs);
  const byEpoch = new Map(timings.map((line) => [line.epoch, line]));
  const timed = counted.flatMap(({ epoch }) => byEpoch.get(epoch) ?? []);
  return {
    epochs: counted.length,
    samples: sum(counted.map(({ samples }) => samples)),
    scored: sum(counted.map(({ scored }) => scored)),
    seconds: timed.length === counted.length ? addUp(timed) : null,
  };
}

const addUp = (timings: readonly EpochTimings[]): Seconds => {
  const total = (kind: SecondsKind) => sum(timings.map((line) => line[`${kind}Seconds`]));
  return {
    training: total("training"),
    scoring: total("scoring"),
    evaluating: total("evaluating"),
    ordering: total("ordering"),
    wire: total("wire"),
    waiting: total("waiting"),
    total: total("total"),
  };
};

/** Mean over the runs that reached the target and have their seconds on record; null for none. Its parts add up, too. */
export function meanSeconds({ runs }: ArmCost): Seconds | null {
  const all = runs.flatMap(({ cost }) => cost?.seconds ?? []);
  if (all.length === 0) return null;
  const mean = (kind: SecondsKind) => sum(all.map((seconds) => seconds[kind])) / all.length;
  return {
    training: mean("training"),
    scoring: mean("scoring"),
    evaluating: mean("evaluating"),
    ordering: mean("ordering"),
    wire: mean("wire"),
    waiting: mean("waiting"),
    total: mean("total"),
  };
}

/** The mean test accuracy of the last epoch over runs that are done: the target that the baseline sets. null for none. */
export function finalAccuracy(runs: readonly RecordedRun[]): number | null {
  const last = runs.flatMap(({ state, metrics }) => (state === "done" ? (metrics.at(-1)?.test?.accuracy ?? []) : []));
  return last.length === 0 ? null : sum(last) / last.length;
}

// --- Over seeds

/** A map with a value for each kind. */
export const byCostKind = <T>(of: (kind: CostKind) => T): Record<CostKind, T> => ({
  epochs: of("epochs"),
  samples: of("samples"),
  scored: of("scored"),
  forwardEquivalents: of("forwardEquivalents"),
  "seconds.training": of("seconds.training"),
  "seconds.scoring": of("seconds.scoring"),
  "seconds.evaluating": of("seconds.evaluating"),
  "seconds.ordering": of("seconds.ordering"),
  "seconds.wire": of("seconds.wire"),
  "seconds.waiting": of("seconds.waiting"),
  "seconds.total": of("seconds.total"),
});

/** What reaching the target cost an arm's runs; each kind null where no run has it. */
export function costOfArm(runs: readonly RecordedRun[], target: number): ArmCost {
  const counted = runs.filter(({ state }) => state !== "failed");
  const costs = counted.map((run) => costToReach(run, target));
  const below = costs.filter(({ cost }) => cost === null);
  const unfinished = below.filter(({ state }) => state === "running" || state === "interrupted").length;
  const notReached = below.length - unfinished;
  return {
    target,
    runs: costs,
    reached: costs.length - below.length,
    notReached,
    failed: runs.length - counted.length,
    unfinished,
    spread: byCostKind((kind) => spreadOf(costs, kind, notReached)),
  };
}

/**
 * One kind of cost by seed, as `computeStatistics` takes it for the mean with its t interval and for paired
 * differences; null for runs that did not reach the target. Where there are such runs the mean over the others is too
 * low: show the median instead, and the count.
 */
export const costBySeed = ({ runs }: ArmCost, kind: CostKind): ValuesBySeed =>
  Object.fromEntries(runs.map(({ seed, cost }) => [seed, amountOf(cost, kind)]));

function spreadOf(costs: readonly RunCost[], kind: CostKind, notReached: number): CostSpread | null {
  const values = costs.flatMap(({ cost }) => amountOf(cost, kind) ?? []).sort((a, b) => a - b);
  const n = values.length;
  if (n === 0) return null;
  const ranked = [...values, ...new Array<number>(notReached).fill(Number.POSITIVE_INFINITY)];
  const middle = (ranked.length - 1) / 2;
  const median = (ranked[Math.floor(middle)] + ranked[Math.ceil(middle)]) / 2;
  return { n, smallest: values[0], largest: values[n - 1], median: Number.isFinite(median) ? median : null };
}

/** null where it was not reached, or is not on record. */
export function amountOf(cost: Cost | null, kind: CostKind): number | null {
  if (cost === null) return null;
  if (kind === "forwardEquivalents") return forwardEquivalents(cost);
  if (kind === "epochs" || kind === "samples" || kind === "scored") return cost[kind];
  return cost.seconds?.[kind.slice("seconds.".length) as SecondsKind] ?? null;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
