/** What the page is made from, in plain values: all that it shows was read from a run directory. */
import type { EpochMetrics, EpochTimings, RunDocument } from "../../record/run-record.js";

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
  readonly classNames: readonly string[] | undefined;
}

export interface ArmData {
  readonly arm: string;
  readonly epochs: number;
  readonly changesObjective: boolean;
  readonly runs: readonly RunData[];
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
  /** By class, then by batch. */
  readonly counts: readonly (readonly number[])[];
}

export interface Confusion {
  readonly seeds: readonly number[];
  readonly counts: readonly (readonly number[])[];
}

/** A sentence on an arm against the baseline, made by whoever does the statistics. */
export interface Sentence {
  readonly arm: string;
  readonly text: string;
}
