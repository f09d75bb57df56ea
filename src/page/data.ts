/** What the page is made from, in plain values: all that it shows was read from a run directory. */

import type { EpochMetrics, EpochTimings } from "../record/epoch-metrics.js";
import type { RunDocument } from "../record/run-document.js";
import type { ValidationDocument } from "../record/validation-record.js";
import type { Picture } from "./png.js";

export interface ReportData {
  readonly name: string;
  readonly hash: string;
  readonly command: string;
  readonly commit: string | undefined;
  readonly ibatchVersion: string;
  /** Resolved config of the last command. */
  readonly config: unknown;
  /** Those of the config, and whatever else is on record. */
  readonly seeds: readonly number[];
  readonly baseline: string | undefined;
  /** Those of the config in its sequence, then others on record. */
  readonly arms: readonly ArmData[];
  /** Of the baseline's runs, else of the first arm that recorded pictures. */
  readonly samples: HardSamples | undefined;
  /** What is damaged, and so left out of the page: a line each. */
  readonly leftOut: readonly string[];
  /** The last one, where there was one. */
  readonly validation?: ValidationDocument | undefined;
}

export interface ArmData {
  readonly arm: string;
  readonly epochs: number;
  readonly changesObjective: boolean;
  readonly runs: readonly RunData[];
  /** Of its dataset, where that is on record. */
  readonly classNames: readonly string[] | undefined;
  /** Of the first run that trained, for what one run shows: batches, losses, rates. */
  readonly example: ExampleRun | undefined;
  /** Counts by true class and predicted class, over all runs that recorded predictions. */
  readonly confusion: Confusion | undefined;
}

export interface RunData {
  readonly seed: number;
  readonly document: RunDocument;
  readonly metrics: readonly EpochMetrics[];
  readonly timings: readonly EpochTimings[];
}

export interface ExampleRun {
  readonly seed: number;
  /** Size and learning rate of every step, epochs' remainders included. */
  readonly steps: readonly StepData[];
  readonly losses: readonly LossDistribution[];
  readonly composition: Composition | undefined;
}

export interface StepData {
  readonly step: number;
  readonly size: number;
  readonly learningRate: number;
  /** Whether it is its epoch's last one, which holds what is left over. */
  readonly last: boolean;
}

/** Quantiles of the losses that an epoch's training passes gave. */
export interface LossDistribution {
  readonly epoch: number;
  readonly quantiles: Readonly<Record<QuantileName, number>>;
  /** Losses that were not finite, which the quantiles leave out. */
  readonly notFinite: number;
}
export const QUANTILES = { p05: 0.05, p25: 0.25, p50: 0.5, p75: 0.75, p95: 0.95 } as const;
export type QuantileName = keyof typeof QUANTILES;

/** Classes in the first batches of an epoch. */
export interface Composition {
  readonly epoch: number;
  /** Batches of the epoch, of which the first are shown. */
  readonly batches: number;
  readonly sizes: readonly number[];
  /** By class, or by so many classes together, then by batch. */
  readonly counts: readonly (readonly number[])[];
  /** Absent: each for itself. */
  readonly classesTogether?: number;
}

/** More classes than these have no room for a row each. */
export const MOST_ROWS = 200;

export interface Confusion {
  readonly seeds: readonly number[];
  /** By true class, then by predicted one; undefined where there are more than MOST_ROWS classes. */
  readonly counts: readonly (readonly number[])[] | undefined;
  /** Of more classes than that: those taken for another one most often. */
  readonly pairs: readonly ConfusedPair[];
}

export interface ConfusedPair {
  readonly label: number;
  readonly predicted: number;
  readonly times: number;
}

/** Training samples that an arm's runs found hardest, and those most often misjudged. */
export interface HardSamples {
  readonly arm: string;
  readonly seeds: readonly number[];
  readonly classNames: readonly string[];
  /** Of the images as they were trained on; pictures have the first three, or the first one of fewer. */
  readonly channels: number;
  /** In the sequence of the labels. */
  readonly classes: readonly { readonly label: number; readonly samples: readonly HardSample[] }[];
  /** Classes left out, whose hardest samples are easier. */
  readonly classesLeftOut: number;
}

export interface HardSample {
  readonly index: number;
  /** Of all its finite losses, over epochs and seeds. */
  readonly meanLoss: number;
  /** An epoch each, mean over seeds; NaN where it was not drawn. */
  readonly losses: readonly number[];
  /** Training passes in which a class was predicted, and those in which it was a wrong one; 0 without predictions. */
  readonly passes: number;
  readonly misjudged: number;
  /** The wrong class that was predicted most often, and how often. */
  readonly wrong: { readonly label: number; readonly times: number } | undefined;
  /** The label that it was trained on with, where that is not the dataset's (dataset.labelNoise). */
  readonly relabelled?: number;
  /** Why it is shown: among the highest mean losses of its class, among its most often misjudged. */
  readonly isHardest: boolean;
  readonly isMostMisjudged: boolean;
  readonly picture: Picture;
}
