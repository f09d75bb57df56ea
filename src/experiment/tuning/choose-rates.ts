/** From the runs at each learning rate to the one that an arm has: pure. */
import type { ExperimentConfig } from "../../config/config.js";
import { type Tune, tuningSeeds } from "../../config/tune.js";
import type { EpochMetrics } from "../../record/epoch-metrics.js";
import type { MeasureKind } from "../../record/measure-kinds.js";
import { fromRecorded } from "../../record/number.js";
import type { Trial, TunedArm, TuningDocument } from "../../record/tuning-record.js";
import type { RunResult } from "../run-result.js";
import { bestOf, sumsOf, type Tried } from "./rank-trials.js";
import { trialName } from "./trials.js";

type Runs = readonly RunResult[];

/** `results`: of all runs that learning rates are tuned by. */
export function chooseRates(
  { arms }: Pick<ExperimentConfig, "arms">,
  tune: Tune,
  results: readonly RunResult[],
): TuningDocument {
  const lines = results.flatMap(({ metrics }) => metrics);
  const samples = lines.find(({ validation }) => validation !== undefined)?.validation?.count ?? null;
  return {
    measure: tune.measure,
    seeds: tuningSeeds(tune),
    validation: { share: tune.validation, samples },
    arms: Object.keys(arms).map((arm) => {
      const runsAt = (rate: number) => results.filter((run) => run.arm === trialName(arm, rate));
      return tunedArm(arm, tune, runsAt);
    }),
  };
}

function tunedArm(arm: string, { learningRate, measure }: Tune, runsAt: (rate: number) => Runs): TunedArm {
  const tried = learningRate.map((rate) => triedAt(rate, runsAt(rate), measure));
  const trials = tried.map(({ trial }) => trial);
  const all = learningRate.flatMap(runsAt);
  const failed = all.find(({ state }) => state !== "done" && state !== "diverged");
  const best = failed === undefined ? bestOf(tried, measure) : undefined;
  const end = endOf(trials, best);
  return {
    arm,
    rate: best?.rate ?? null,
    ...(best === undefined && { lack: lackOf(arm, learningRate, failed) }),
    ...(end && { end }),
    trials,
    cost: costOf(all),
  };
}

function triedAt(rate: number, runs: Runs, measure: MeasureKind): Tried {
  const values = runs.map(({ seed, state, metrics }) => ({
    seed,
    value: state === "done" ? measuredAt(metrics.at(-1), measure) : null,
  }));
  const diverged = runs.filter(({ state }) => state === "diverged").length;
  const trial = { rate, values, diverged, ...describe(values.flatMap(({ value }) => value ?? [])) };
  return { trial, sums: sumsOf(runs.filter(({ state }) => state === "done").map(({ metrics }) => metrics.at(-1))) };
}

function measuredAt(last: EpochMetrics | undefined, measure: MeasureKind): number | null {
  const value = last?.validation?.[measure];
  return value === undefined ? null : fromRecorded(value);
}

function describe(values: readonly number[]): Pick<Trial, "mean" | "sd"> {
  const n = values.length;
  if (n === 0) return { mean: null, sd: null };
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, sd: n < 2 ? null : Math.sqrt(squares / (n - 1)) };
}

function endOf(trials: readonly Trial[], best: Trial | undefined): TunedArm["end"] {
  if (best === undefined) return undefined;
  if (best === trials[0]) return "lowest";
  return best === trials.at(-1) ? "highest" : undefined;
}

const lackOf = (arm: string, rates: readonly number[], failed: RunResult | undefined): string =>
  failed === undefined
    ? `arm ${arm} has no learning rate: every run diverged at each of ${rates.join(", ")}; lower tune.learningRate`
    : `arm ${arm} has no learning rate, for a run that it is tuned by ${failed.state} (${failed.arm}, seed ${failed.seed}): ${failed.error}`;

const costOf = (runs: Runs): TunedArm["cost"] => {
  const lines = runs.flatMap(({ metrics }) => metrics);
  const sum = (of: "samples" | "scored") => lines.reduce((total, line) => total + line[of], 0);
  return { runs: runs.length, samples: sum("samples"), scored: sum("scored") };
};
