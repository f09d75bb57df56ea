/** What an experiment says in numbers: the last epoch of every run, by arm. */
import type { RunResult } from "../experiment/run-result.js";
import type { MeanOverRuns } from "../record/findings-document.js";
import { fromRecorded, toRecorded } from "../record/number.js";
import type { ArmSummary, Spread, Summary } from "../record/summary-document.js";
import type { PlannedArm, PlannedExperiment } from "./planned-experiment.js";

export function summarise(
  experiment: Pick<PlannedExperiment, "name" | "seeds" | "arms">,
  results: readonly RunResult[],
  directory: string,
): Summary {
  const arms = Object.entries(experiment.arms);
  return {
    name: experiment.name,
    directory,
    seeds: experiment.seeds,
    arms: arms.map(([arm, config]) =>
      summariseArm(
        arm,
        config,
        results.filter((result) => result.arm === arm),
        experiment.seeds,
      ),
    ),
  };
}

function summariseArm(
  arm: string,
  { epochs, order }: PlannedArm,
  results: readonly RunResult[],
  seeds: readonly number[],
): ArmSummary {
  const last = results.flatMap(({ state, metrics }) => (state === "done" ? (metrics.at(-1)?.test ?? []) : []));
  const count = (state: RunResult["state"]) => results.filter((result) => result.state === state).length;
  return {
    arm,
    epochs: epochs ?? Math.max(0, ...results.map(({ metrics }) => metrics.length)),
    changesObjective: order.changesObjective,
    done: count("done"),
    diverged: count("diverged"),
    failed: count("failed"),
    missing: seeds.filter((seed) => results.every((result) => result.seed !== seed)),
    samplesTrained: samplesTrained(results.filter(({ state }) => state === "done")),
    testAccuracy: spread(last.map((test) => test.accuracy)),
    testLoss: spread(last.map((test) => fromRecorded(test.loss))),
    runs: results.map(({ seed, state, metrics, error, divergedAtStep }) => ({
      seed,
      state,
      epochs: metrics.length,
      test: metrics.at(-1)?.test,
      error,
      divergedAtStep,
    })),
  };
}

const samplesTrained = (done: readonly RunResult[]): number | null =>
  done.length === 0
    ? null
    : done.flatMap(({ metrics }) => metrics).reduce((total, { samples }) => total + samples, 0) / done.length;

/** Mean and standard deviation of what is finite; undefined for no values. */
export function meanOver(values: readonly number[]): MeanOverRuns | undefined {
  const found = spread(values);
  return found === null ? undefined : { mean: fromRecorded(found.mean), sd: found.sd && fromRecorded(found.sd) };
}

/** Null for no values. Two passes, so that close values lose no digits. */
export function spread(values: readonly number[]): Spread | null {
  const n = values.length;
  if (n === 0) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean: toRecorded(mean), sd: n < 2 ? null : toRecorded(Math.sqrt(squares / (n - 1))) };
}
