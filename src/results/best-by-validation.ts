/** The epoch that the validation split would choose, and what the test set says of it: the test set chooses nothing. */

import type { EpochMetrics } from "../record/epoch-metrics.js";
import type { ValuesBySeed } from "../record/statistics-document.js";
import type { RecordedRun } from "./cost-to-reach.js";
import { largestOf } from "./extremes.js";

export interface BestEpochs {
  /** Epochs trained up to the end of the best one: 1 is the first. */
  readonly epochs: ValuesBySeed;
  /** Test accuracy there. */
  readonly accuracy: ValuesBySeed;
}

/** By seed, null for a run that is not done; undefined where no run has a validation split. */
export function bestByValidation(runs: readonly RecordedRun[]): BestEpochs | undefined {
  if (runs.every(({ metrics }) => metrics.every(({ validation }) => validation === undefined))) return undefined;
  const best = runs.map(({ seed, state, metrics }) => ({
    seed,
    at: state === "done" ? bestEpoch(metrics) : undefined,
  }));
  return {
    epochs: Object.fromEntries(best.map(({ seed, at }) => [seed, at === undefined ? null : at.epoch + 1])),
    accuracy: Object.fromEntries(best.map(({ seed, at }) => [seed, at?.test?.accuracy ?? null])),
  };
}

/** Of the highest validation accuracy, the first among equals. */
function bestEpoch(metrics: readonly EpochMetrics[]): EpochMetrics | undefined {
  const measured = metrics.flatMap((line) =>
    line.validation === undefined ? [] : [{ line, accuracy: line.validation.accuracy }],
  );
  const highest = largestOf(measured.map(({ accuracy }) => accuracy));
  return measured.find(({ accuracy }) => accuracy === highest)?.line;
}
