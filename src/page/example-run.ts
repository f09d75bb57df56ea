/** What one run shows, made small from its recorded arrays: steps, quantiles of losses, classes of batches. */
import { countClasses } from "../kernels/classes.js";
import type { RecordedDataset } from "../record/dataset-record.js";
import type { EpochMetrics } from "../record/epoch-metrics.js";
import { hasPlan, keepsOrders, orderOf, planOf } from "../record/recorded-orders.js";
import { lossesOf, trainedLabelsOf } from "../record/recorded-signals.js";
import type { RunFiles } from "../record/verified-files.js";
import type { RunOnRecord } from "../results/recorded-experiment.js";
import { type Composition, type ExampleRun, type LossDistribution, MOST_ROWS, type StepData } from "./data.js";
import { quantilesOf } from "./quantiles.js";

/** Batches of an epoch whose classes are shown. */
const SHOWN_BATCHES = 60;

export function exampleOf({ seed, metrics, files }: RunOnRecord, dataset: RecordedDataset | undefined): ExampleRun {
  return {
    seed,
    steps: metrics.flatMap((epoch) => stepsOf(files, epoch)),
    losses: metrics.flatMap(({ epoch }) => lossesIn(files, epoch)),
    composition: dataset && compositionOf(files, metrics, dataset),
  };
}

function stepsOf(files: RunFiles, { epoch, step, batches }: EpochMetrics): StepData[] {
  if (!hasPlan(files, epoch)) return [];
  const { offsets, learningRates } = planOf(files, epoch);
  return learningRates.map((learningRate, at) => ({
    step: step - batches + at,
    size: offsets[at + 1] - offsets[at],
    learningRate,
    last: at === learningRates.length - 1,
  }));
}

function lossesIn(files: RunFiles, epoch: number): LossDistribution[] {
  const losses = lossesOf(files, epoch);
  const distribution = losses && quantilesOf(losses);
  return distribution === undefined ? [] : [{ epoch, ...distribution }];
}

/** Of the last epoch, in which an order that reads losses has some. */
function compositionOf(
  files: RunFiles,
  metrics: readonly EpochMetrics[],
  { labels, classNames }: RecordedDataset,
): Composition | undefined {
  const epoch = metrics.at(-1)?.epoch;
  if (epoch === undefined || !keepsOrders(files)) return undefined;
  const { indices, offsets } = orderOf(files, epoch, labels.length);
  const classes = classNames.length;
  const seen = trainedLabelsOf(files, { count: labels.length, classes }) ?? labels;
  const shown = Math.min(SHOWN_BATCHES, offsets.length - 1);
  const sizes = Array.from({ length: shown }, (_, batch) => offsets[batch + 1] - offsets[batch]);
  const together = Math.ceil(classes / MOST_ROWS);
  const rows = Math.ceil(classes / together);
  const rowOf = together === 1 ? seen : seen.map((label) => Math.floor(label / together));
  const byBatch = sizes.map((_, batch) =>
    countClasses(indices.subarray(offsets[batch], offsets[batch + 1]), rowOf, rows),
  );
  return {
    epoch,
    batches: offsets.length - 1,
    sizes,
    counts: Array.from({ length: rows }, (_, row) => byBatch.map((counts) => counts[row])),
    ...(together > 1 && { classesTogether: together }),
  };
}
