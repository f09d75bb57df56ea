// Runs with made-up numbers, and what an experiment asks of them.

import { findPython } from "../../src/process/find-python.js";
import type { EpochMetrics, EpochTimings } from "../../src/record/epoch-metrics.js";
import type { Findings } from "../../src/record/findings-document.js";
import type { RecordedNumber } from "../../src/record/number.js";
import type { RunStatus } from "../../src/record/run-document.js";
import type { TuningDocument } from "../../src/record/tuning-record.js";
import { makeFindings } from "../../src/results/make-findings.js";
import { measure, requestOf } from "../../src/results/measures.js";
import type { PlannedExperiment } from "../../src/results/planned-experiment.js";
import type { TimedRun } from "../../src/results/recorded-experiment.js";
import { computeStatistics } from "../../src/results/statistics.js";

export interface Made {
  /** Test accuracies, an epoch each. */
  readonly test: readonly number[];
  readonly loss?: RecordedNumber;
  readonly validation?: readonly number[];
  /** Of an epoch; 100 unless told. */
  readonly samples?: number;
  /** Likewise; 10 unless told. */
  readonly scored?: number;
  readonly state?: RunStatus;
}

/** Epochs of 100 samples and 2 seconds; the test loss is 1 - accuracy unless told. */
export function run(
  arm: string,
  seed: number,
  { test, loss, validation, samples = 100, scored = 10, state = "done" }: Made,
): TimedRun {
  const metrics = test.map(
    (accuracy, epoch): EpochMetrics => ({
      epoch,
      step: epoch + 1,
      batches: 1,
      samples,
      scored,
      batchSize: { smallest: 100, largest: 100 },
      learningRate: { first: 0.1, last: 0.1 },
      train: { loss: 1, accuracy, count: 100 },
      test: { loss: loss ?? 1 - accuracy, accuracy, count: 1000 },
      ...(validation && { validation: { loss: 1, accuracy: validation[epoch], count: 50 } }),
      order: { distinct: 100, mostDrawn: 1 },
      orderSha256: "",
      planSha256: "",
    }),
  );
  return { arm, seed, state, metrics, document: undefined, timings: metrics.map(({ epoch }) => timed(epoch)) };
}

const timed = (epoch: number): EpochTimings => ({
  epoch,
  orderingSeconds: 0.125,
  trainingSeconds: 1,
  scoringSeconds: 0.25,
  evaluatingSeconds: 0.5,
  wireSeconds: 0.0625,
  waitingSeconds: 0.0625,
  totalSeconds: 2,
});

/** An arm's runs, a seed each, of last accuracies alone. */
export const runs = (arm: string, ...last: readonly number[]): TimedRun[] =>
  last.map((accuracy, seed) => run(arm, seed, { test: [accuracy] }));

/** All arms of these runs; what is not told: every arm planned against `shuffled`. */
export function asking(all: readonly TimedRun[], values: Partial<PlannedExperiment> = {}): PlannedExperiment {
  const arms = [...new Set(all.map(({ arm }) => arm))];
  const baseline = arms.includes("shuffled") ? "shuffled" : undefined;
  return {
    name: "made",
    seeds: [...new Set(all.map(({ seed }) => seed))],
    baseline,
    comparisons: baseline === undefined ? [] : planned(baseline, ...arms.filter((arm) => arm !== baseline)),
    primary: "accuracy",
    targetAccuracy: null,
    equivalenceMargin: null,
    arms: Object.fromEntries(arms.map((arm) => [arm, { epochs: 1, order: { changesObjective: false } }])),
    ...values,
  };
}

export const planned = (baseline: string, ...arms: readonly string[]): PlannedExperiment["comparisons"] =>
  arms.map((arm) => ({ arm, with: baseline }));

/** By Python and scipy. */
export async function findingsOf(
  all: readonly TimedRun[],
  values: Partial<PlannedExperiment> = {},
  tuning?: TuningDocument,
): Promise<Findings> {
  const measures = measure(asking(all, values), all);
  const { signal } = new AbortController();
  const answer = await computeStatistics(requestOf(measures), { python: findPython(undefined), signal });
  return makeFindings(measures, answer, all, tuning);
}
