/** The runs of an experiment's directory as exports go through them. */
import type { RunDocument } from "../record/run-document.js";
import type { RunFiles } from "../record/verified-files.js";
import { readExperiment } from "../results/recorded-experiment.js";
import type { RecordedEpoch } from "./epoch-measures.js";

export interface ExportedRun {
  readonly arm: string;
  readonly seed: number;
  readonly document: RunDocument;
  readonly epochs: readonly RecordedEpoch[];
  readonly files: RunFiles;
}

export interface ExportedExperiment {
  readonly name: string;
  /** Arms in the config's sequence, then others; each with its seeds ascending. */
  readonly runs: readonly ExportedRun[];
  /** What is damaged of the others: a line each. */
  readonly leftOut: readonly string[];
}

/**
 * Every file of a finished run is checked.
 * @throws IbatchError when the directory holds no experiment, or `experiment.json` is damaged.
 */
export function readExportedRuns(directory: string): ExportedExperiment {
  const { planned, runs, damaged } = readExperiment(directory, { withArrays: true });
  const inSequence = Object.keys(planned.arms).flatMap((arm) => runs.filter((run) => run.arm === arm));
  return {
    name: planned.name,
    runs: inSequence.map(({ arm, seed, document, metrics, timings, files }) => ({
      arm,
      seed,
      document,
      files,
      epochs: metrics.map((line) => ({ metrics: line, timings: timings.find(({ epoch }) => epoch === line.epoch) })),
    })),
    leftOut: damaged.map(({ damage }) => damage),
  };
}

/** What a run's config names. */
export const CONFIGURED_PARTS = ["dataset", "model", "optimizer", "schedule", "batching", "order"] as const;

export const configuredName = ({ config }: RunDocument, part: (typeof CONFIGURED_PARTS)[number]): string | undefined =>
  config[part]?.name;
