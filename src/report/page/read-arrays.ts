/** What the page needs of the recorded arrays, made small: steps, quantiles of losses, classes of batches. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { usageError } from "../../errors.js";
import { countClasses } from "../../kernels/classes.js";
import { numbered } from "../../record/numbered.js";
import { keepsOrders, readOrder, readSignal } from "../../record/recorded-arrays.js";
import type { EpochMetrics } from "../../record/run-record.js";
import type { Composition, Confusion, ExampleRun, LossDistribution, RunData, StepData } from "./data.js";
import { quantilesOf } from "./quantiles.js";

/** Batches of an epoch whose classes are shown. */
export const SHOWN_BATCHES = 60;

const plan = z.object({ offsets: z.array(z.number()), learningRates: z.array(z.number()) });

interface Place {
  readonly directory: string;
  readonly arm: string;
  readonly run: RunData;
  readonly classCount: number | undefined;
}

export function readExample({ directory, arm, run, classCount }: Place): ExampleRun {
  const runDirectory = join(directory, arm, `seed-${run.seed}`);
  return {
    seed: run.seed,
    steps: run.metrics.flatMap((epoch) => readSteps(runDirectory, epoch)),
    losses: run.metrics.flatMap(({ epoch }) => readLosses(runDirectory, epoch)),
    composition: readComposition(directory, arm, runDirectory, run.metrics, classCount),
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
  directory: string,
  arm: string,
  runDirectory: string,
  metrics: readonly EpochMetrics[],
  classCount: number | undefined,
): Composition | undefined {
  const labels = readLabels(directory, arm, "labels.u32");
  const epoch = metrics.at(-1)?.epoch;
  if (labels === undefined || epoch === undefined || !keepsOrders(runDirectory)) return undefined;
  const { indices, offsets } = readOrder(runDirectory, epoch);
  const beyond = indices.find((index) => index >= labels.length);
  if (beyond !== undefined) {
    throw usageError(
      `labels.u32 in ${directory} has ${labels.length} values, but ${runDirectory} trained on ${beyond}`,
    );
  }
  const classes = classCount ?? classesOf(labels);
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

/** Test predictions of every run that recorded them, against the test labels. */
export function readConfusion(
  directory: string,
  arm: string,
  runs: readonly RunData[],
  classCount: number | undefined,
): Confusion | undefined {
  const labels = readLabels(directory, arm, "test-labels.u32");
  if (labels === undefined) return undefined;
  const recorded = runs.flatMap(({ seed, document }) => {
    const path = join(directory, arm, `seed-${seed}`, "predictions.u32");
    return document.state === "done" && existsSync(path) ? [{ seed, predictions: readU32(path) }] : [];
  });
  if (recorded.length === 0) return undefined;
  const classes = classCount ?? Math.max(classesOf(labels), ...recorded.map((run) => classesOf(run.predictions)));
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const { seed, predictions } of recorded) {
    if (predictions.length !== labels.length) {
      throw usageError(
        `predictions.u32 of ${arm}, seed ${seed} has ${predictions.length} values, test-labels.u32 has ${labels.length}`,
      );
    }
    for (const [at, label] of labels.entries()) counts[label][predictions[at]] += 1;
  }
  return { seeds: recorded.map(({ seed }) => seed), counts };
}

/** The arm's own where its dataset is its own, else the experiment's. */
function readLabels(directory: string, arm: string, name: string): Uint32Array | undefined {
  const path = [join(directory, arm, name), join(directory, name)].find((place) => existsSync(place));
  return path === undefined ? undefined : readU32(path);
}

function readU32(path: string): Uint32Array {
  const bytes = readFileSync(path);
  if (bytes.byteLength % 4 !== 0) throw usageError(`${path} is damaged: ${bytes.byteLength} bytes are no whole values`);
  return new Uint32Array(new Uint8Array(bytes).buffer);
}

const classesOf = (labels: Uint32Array): number => labels.reduce((most, label) => Math.max(most, label + 1), 0);
