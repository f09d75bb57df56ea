/** What the page needs of the recorded arrays, made small: steps, quantiles of losses, classes of batches. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { usageError } from "../../errors.js";
import { countClasses } from "../../kernels/classes.js";
import type { RecordedDataset } from "../../record/dataset-record.js";
import { numbered } from "../../record/numbered.js";
import { keepsOrders, readOrder, readSignal } from "../../record/recorded-arrays.js";
import type { EpochMetrics } from "../../record/run-record.js";
import type { Composition, ExampleRun, LossDistribution, RunData, StepData } from "./data.js";
import { quantilesOf } from "./quantiles.js";

/** Batches of an epoch whose classes are shown. */
export const SHOWN_BATCHES = 60;

const plan = z.object({ offsets: z.array(z.number()), learningRates: z.array(z.number()) });

export function readExample(
  runDirectory: string,
  { seed, metrics }: RunData,
  dataset: RecordedDataset | undefined,
): ExampleRun {
  return {
    seed,
    steps: metrics.flatMap((epoch) => readSteps(runDirectory, epoch)),
    losses: metrics.flatMap(({ epoch }) => readLosses(runDirectory, epoch)),
    composition: dataset && readComposition(runDirectory, metrics, dataset),
  };
}

function readSteps(runDirectory: string, { epoch, step, batches }: EpochMetrics): StepData[] {
  const path = join(runDirectory, "orders", `${numbered(epoch)}.json`);
  if (!existsSync(path)) return [];
  const { offsets, learningRates } = plan.parse(JSON.parse(readFileSync(path, "utf8")));
  return learningRates.map((learningRate, at) => ({
    step: step - batches + at,
    size: offsets[at + 1] - offsets[at],
    learningRate,
    last: at === learningRates.length - 1,
  }));
}

function readLosses(runDirectory: string, epoch: number): LossDistribution[] {
  if (!existsSync(join(runDirectory, "signals", "loss", `${numbered(epoch)}.f32`))) return [];
  const distribution = quantilesOf(readSignal(runDirectory, "loss", epoch));
  return distribution === undefined ? [] : [{ epoch, ...distribution }];
}

/** Of the last epoch, in which an order that reads losses has some. */
function readComposition(
  runDirectory: string,
  metrics: readonly EpochMetrics[],
  { labels, classNames }: RecordedDataset,
): Composition | undefined {
  const epoch = metrics.at(-1)?.epoch;
  if (epoch === undefined || !keepsOrders(runDirectory)) return undefined;
  const { indices, offsets } = readOrder(runDirectory, epoch);
  const beyond = indices.find((index) => index >= labels.length);
  if (beyond !== undefined) {
    throw usageError(`its dataset has ${labels.length} samples on record, but ${runDirectory} trained on ${beyond}`);
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
