/** What the page needs of the recorded arrays, made small: steps, quantiles of losses, classes of batches. */
import { countClasses } from "../../kernels/classes.js";
import type { RecordedDataset } from "../../record/dataset-record.js";
import type { EpochMetrics } from "../../record/epoch-metrics.js";
import { damage } from "../../record/read-file.js";
import { keepsOrders, orderFile, orderOf, planOf, signalFile } from "../../record/recorded-arrays.js";
import type { RunFiles } from "../../record/verified-files.js";
import type { RunOnRecord } from "../recorded-experiment.js";
import type { Composition, ExampleRun, LossDistribution, StepData } from "./data.js";
import { quantilesOf } from "./quantiles.js";

/** Batches of an epoch whose classes are shown. */
const SHOWN_BATCHES = 60;

export function readExample({ seed, metrics, files }: RunOnRecord, dataset: RecordedDataset | undefined): ExampleRun {
  return {
    seed,
    steps: metrics.flatMap((epoch) => readSteps(files, epoch)),
    losses: metrics.flatMap(({ epoch }) => readLosses(files, epoch)),
    composition: dataset && readComposition(files, metrics, dataset),
  };
}

function readSteps(files: RunFiles, { epoch, step, batches }: EpochMetrics): StepData[] {
  if (!files.has(orderFile(epoch, "json"))) return [];
  const { offsets, learningRates } = planOf(files, epoch);
  return learningRates.map((learningRate, at) => ({
    step: step - batches + at,
    size: offsets[at + 1] - offsets[at],
    learningRate,
    last: at === learningRates.length - 1,
  }));
}

function readLosses(files: RunFiles, epoch: number): LossDistribution[] {
  const file = signalFile("loss", epoch);
  if (!files.has(file)) return [];
  const distribution = quantilesOf(files.f32(file));
  return distribution === undefined ? [] : [{ epoch, ...distribution }];
}

/** Of the last epoch, in which an order that reads losses has some. */
function readComposition(
  files: RunFiles,
  metrics: readonly EpochMetrics[],
  { labels, classNames }: RecordedDataset,
): Composition | undefined {
  const epoch = metrics.at(-1)?.epoch;
  if (epoch === undefined || !keepsOrders(files)) return undefined;
  const { indices, offsets } = orderOf(files, epoch);
  const beyond = indices.find((index) => index >= labels.length);
  if (beyond !== undefined) {
    const what = `it has a sample ${beyond}, its dataset has ${labels.length} on record`;
    throw files.damaged(orderFile(epoch, "u32"), damage(what));
  }
  const classes = classNames.length;
  const shown = Math.min(SHOWN_BATCHES, offsets.length - 1);
  const sizes = Array.from({ length: shown }, (_, batch) => offsets[batch + 1] - offsets[batch]);
  const byBatch = sizes.map((_, batch) =>
    countClasses(indices.subarray(offsets[batch], offsets[batch + 1]), labels, classes),
  );
  return {
    epoch,
    batches: offsets.length - 1,
    sizes,
    counts: Array.from({ length: classes }, (_, label) => byBatch.map((counts) => counts[label])),
  };
}
