/** What a run directory says of its experiment, also of one that is half finished. */
import type { RunResult } from "../experiment/run-result.js";
import type { EpochTimings } from "../record/epoch-metrics.js";
import { comparisonsOf, type ExperimentDocument, readExperimentDocument } from "../record/experiment-document.js";
import type { DamagedRun } from "../record/find-runs.js";
import { type RunAsRead, readRun } from "../record/read-run.js";
import { readRuns } from "../record/read-runs.js";
import { testPredictionsOf } from "../record/recorded-signals.js";
import { isFinished, type RecordedArm, type RunDocument } from "../record/run-document.js";
import type { RunPlaceOnDisk } from "../record/run-places.js";
import type { PlannedArm, PlannedExperiment } from "./planned-experiment.js";

/** What notes on an order read of a run's config. */
interface OrderedConfig {
  readonly epochs?: number | undefined;
  readonly order: {
    readonly name?: string | undefined;
    readonly replay?: unknown;
    readonly shuffledLastEpoch?: boolean | undefined;
  };
}

/** A run as the findings are made from it. */
export interface TimedRun extends RunResult {
  /** Undefined where it is not read; never left out, or notes on orders and last epochs would be off in silence. */
  readonly document:
    | (Pick<RunDocument, "surroundings" | "seeds" | "sideBySide"> & { readonly config: OrderedConfig })
    | undefined;
  readonly timings: readonly EpochTimings[];
  /** Whatever test sample it is shown; undefined where its predictions are not on record. */
  readonly answersOneClass?: boolean | undefined;
}

/** As it lies in the directory. */
export type RunOnRecord = TimedRun & RunAsRead;

export interface RunsOnRecord {
  /** Arms and seeds in sequence. */
  readonly runs: readonly RunOnRecord[];
  readonly damaged: readonly DamagedRun[];
}

export interface RecordedExperiment extends RunsOnRecord {
  readonly document: ExperimentDocument;
  /** As the last command asked for it, and whatever else of arms and seeds is on record. */
  readonly planned: PlannedExperiment;
}

export interface ReadOptions {
  /** Whether each of a run's arrays is checked, whatever is then read of them. */
  readonly withArrays?: boolean;
}

/** @throws IbatchError when the directory holds no experiment, or `experiment.json` is damaged. */
export function readExperiment(directory: string, options: ReadOptions = {}): RecordedExperiment {
  const document = readExperimentDocument(directory);
  const { name, config } = document;
  const { runs, damaged } = readRunsOnRecord(directory, Object.keys(config.arms), options);
  const others = runs.filter((run) => config.arms[run.arm] === undefined);
  const arms = { ...config.arms };
  for (const { arm: key, document } of others.sort(byArm)) arms[key] ??= document.config;
  return {
    document,
    planned: {
      name,
      fixedSeeds: config.fixedSeeds,
      baseline: config.baseline,
      comparisons: comparisonsOf(config),
      primary: config.primary ?? "accuracy",
      targetAccuracy: config.targetAccuracy,
      equivalenceMargin: config.equivalenceMargin,
      seeds: [...new Set([...config.seeds, ...runs.map(({ seed }) => seed)])].sort((a, b) => a - b),
      arms: Object.fromEntries(Object.entries(arms).map(([arm, recorded]) => [arm, plannedArm(recorded)])),
    },
    runs,
    damaged,
  };
}

/** Records of before there was such say nothing of the objective: it was the mean loss over all samples. */
const plannedArm = ({ epochs, budget, order, dataset }: RecordedArm): PlannedArm => ({
  ...{ epochs, budget, dataset },
  order: { ...order, changesObjective: order.changesObjective ?? false },
});

const byArm = (a: RunOnRecord, b: RunOnRecord): number => (a.arm < b.arm ? -1 : 1);

/**
 * Of runs that are under way, what is there so far; those whose first word is not on disk yet are left out.
 * `arms`: those of the config.
 */
export function readRunsOnRecord(
  directory: string,
  arms: readonly string[],
  { withArrays = false }: ReadOptions = {},
): RunsOnRecord {
  const { runs, blocked, damaged } = readRuns(directory, arms, (place) => readOne(place, withArrays));
  return { runs, damaged: [...blocked, ...damaged] };
}

function readOne({ arm, seed, directory }: RunPlaceOnDisk, withArrays: boolean): RunOnRecord | undefined {
  const run = readRun(directory);
  if (run === undefined) return undefined;
  const { document, files } = run;
  if (withArrays && isFinished(document)) files.verifyAll();
  const { state, error, divergedAtStep } = document;
  const told = isFinished(document) ? { answersOneClass: answersOneClass(testPredictionsOf(files)) } : {};
  return { arm, seed, state, error, divergedAtStep, ...run, ...told };
}

/** Whether a run predicts one class for every test sample; undefined where its predictions are not on record. */
const answersOneClass = (predictions: Readonly<Uint32Array> | undefined): boolean | undefined =>
  predictions === undefined || predictions.length === 0
    ? undefined
    : predictions.every((label) => label === predictions[0]);
