/** Where BatchNorm, and not the order alone, decides a test accuracy. */
import type { BatchNormMetrics, EpochMetrics } from "../record/epoch-metrics.js";

export interface ArmEpochs {
  readonly arm: string;
  readonly runs: readonly { readonly seed: number; readonly metrics: readonly EpochMetrics[] }[];
}

export interface Alarm {
  readonly arm: string;
  /** Begins after the arm's name. */
  readonly text: string;
}

/** Accuracies that are further apart than this are no accident of 1,000 samples, whose standard error is 1.6 points at most. */
const GROSS_DIFFERENCE = 0.1;

/**
 * A sentence for each arm whose runs, in the mean, are right under one kind of BatchNorm's statistics and not under
 * another: in the arm's own batches (batch against running), or on the test set (any of the three).
 */
export const batchNormAlarms = (arms: readonly ArmEpochs[]): Alarm[] =>
  arms.flatMap(({ arm, runs }) => {
    const found = runs.flatMap(({ metrics }) => metrics.at(-1)?.batchNorm ?? []);
    const told = [inOwnBatches(found), onTest(found)].filter((text) => text !== undefined);
    return told.length === 0 ? [] : [{ arm, text: `${told.join("; ")}. ${ADVICE}` }];
  });

const ADVICE =
  "Its test accuracy says as much about BatchNorm as about the order: compare a model without it (norm: group), or " +
  "evaluation: { batchNorm: reestimated }";

function inOwnBatches(found: readonly BatchNormMetrics[]): string | undefined {
  const own = found.flatMap(({ ownBatches }) => ownBatches ?? []);
  const batch = mean(own.map((one) => one.batch.accuracy));
  const running = mean(own.map((one) => one.running.accuracy));
  if (!differGrossly([batch, running])) return undefined;
  return (
    `classifies ${percent(batch)} of the training samples in its own batches right while BatchNorm takes those batches' ` +
    `statistics, and ${percent(running)} of them with the running statistics that it is tested with`
  );
}

function onTest(found: readonly BatchNormMetrics[]): string | undefined {
  const tests = found.flatMap(({ test }) => test ?? []);
  const running = mean(tests.map((one) => one.running.accuracy));
  const batch = mean(tests.map((one) => one.batch.accuracy));
  const reestimated = mean(tests.map((one) => one.reestimated.accuracy));
  if (!differGrossly([running, batch, reestimated])) return undefined;
  return (
    `reaches ${percent(running)} on test images with running statistics, ${percent(batch)} with those of mixed batches ` +
    `and ${percent(reestimated)} with re-estimated ones`
  );
}

/** No value, or NaN, differs from nothing. */
const differGrossly = (accuracies: readonly number[]): boolean =>
  Math.max(...accuracies) - Math.min(...accuracies) > GROSS_DIFFERENCE;

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
