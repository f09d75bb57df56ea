/** What it costs to reach a test accuracy: pure functions over what runs recorded. */

import type { EpochMetrics, EpochTimings } from "../record/epoch-metrics.js";
import type { RunState } from "../record/run-document.js";
import type { ValuesBySeed } from "./statistics.js";

/** A run as recorded: `metrics.jsonl` and `timings.jsonl`. */
export interface RecordedRun {
  readonly seed: number;
  readonly state: RunState;
  readonly metrics: readonly EpochMetrics[];
  readonly timings: readonly EpochTimings[];
}

/** Where an epoch's seconds go: these add up to the total. */
export const PARTS_OF_SECONDS = ["training", "scoring", "evaluating", "wire", "waiting"] as const;
/** And those of making orders, which lie within the waiting, or pass while the backend evaluates. */
const SECONDS_KINDS = [...PARTS_OF_SECONDS, "ordering", "total"] as const;
export type SecondsKind = (typeof SECONDS_KINDS)[number];
export type Seconds = Readonly<Record<SecondsKind, number>>;

/** Of the first epochs of a run. */
export interface Cost {
  readonly epochs: number;
  /** Samples trained on, repeats counted. */
  readonly samples: number;
  /** Samples put through scoring passes. */
  readonly scored: number;
  /** null where not every one of these epochs has its line in `timings.jsonl`. */
  readonly seconds: Seconds | null;
}

export interface RunCost {
  readonly seed: number;
  readonly state: RunState;
  /** Until the end of the first epoch whose test accuracy is the target or more; null: not reached. */
  readonly cost: Cost | null;
  /** Highest test accuracy, to say how near a run came that did not reach it; null where none was measured. */
  readonly best: number | null;
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
    best: accuracies.length === 0 ? null : Math.max(...accuracies),
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

export type CostKind = "epochs" | "samples" | "scored" | `seconds.${SecondsKind}`;
export const COST_KINDS: readonly CostKind[] = [
  "epochs",
  "samples",
  "scored",
  ...SECONDS_KINDS.map((kind) => `seconds.${kind}` as const),
];

/** A map with a value for each kind. */
export const byCostKind = <T>(of: (kind: CostKind) => T): Record<CostKind, T> => ({
  epochs: of("epochs"),
  samples: of("samples"),
  scored: of("scored"),
  "seconds.training": of("seconds.training"),
  "seconds.scoring": of("seconds.scoring"),
  "seconds.evaluating": of("seconds.evaluating"),
  "seconds.ordering": of("seconds.ordering"),
  "seconds.wire": of("seconds.wire"),
  "seconds.waiting": of("seconds.waiting"),
  "seconds.total": of("seconds.total"),
});

export interface ArmCost {
  /** Test accuracy, 0 … 1. */
  readonly target: number;
  /** Without those that failed. */
  readonly runs: readonly RunCost[];
  readonly reached: number;
  /** Runs that came to a result (done, diverged) below the target. */
  readonly notReached: number;
  /** Runs that ended in an error: no result, whatever they had reached. */
  readonly failed: number;
  /** Runs that did not end yet, below the target so far: neither of the two. */
  readonly unfinished: number;
  readonly spread: Readonly<Record<CostKind, CostSpread | null>>;
}

/** Over the runs that reached the target. */
export interface CostSpread {
  /** Runs that it is over. */
  readonly n: number;
  readonly smallest: number;
  readonly largest: number;
  /** Over all runs that came to a result, one that did not reach it counted as dearer than any; null where that makes it unknown. */
  readonly median: number | null;
}

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
  Object.fromEntries(runs.map(({ seed, cost }) => [seed, amount(cost, kind)]));

function spreadOf(costs: readonly RunCost[], kind: CostKind, notReached: number): CostSpread | null {
  const values = costs.flatMap(({ cost }) => amount(cost, kind) ?? []).sort((a, b) => a - b);
  const n = values.length;
  if (n === 0) return null;
  const ranked = [...values, ...new Array<number>(notReached).fill(Number.POSITIVE_INFINITY)];
  const middle = (ranked.length - 1) / 2;
  const median = (ranked[Math.floor(middle)] + ranked[Math.ceil(middle)]) / 2;
  return { n, smallest: values[0], largest: values[n - 1], median: Number.isFinite(median) ? median : null };
}

function amount(cost: Cost | null, kind: CostKind): number | null {
  if (cost === null) return null;
  if (kind === "epochs" || kind === "samples" || kind === "scored") return cost[kind];
  return cost.seconds?.[kind.slice("seconds.".length) as SecondsKind] ?? null;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
