/** What is known of runs when a command has done them. */
import type { IbatchError } from "../errors.js";
import type { EpochMetrics } from "../record/epoch-metrics.js";
import type { RunDocument } from "../record/run-document.js";

/** A run as it stands, with its recorded epochs. */
export interface RunResult {
  readonly arm: string;
  readonly seed: number;
  readonly state: RunDocument["state"];
  readonly error?: string | undefined;
  readonly divergedAtStep?: number | undefined;
  readonly metrics: readonly EpochMetrics[];
}

export interface ArmsRun {
  /** In the sequence of the config, seed by seed. */
  readonly results: readonly RunResult[];
  /** What was missing from some run on, as another backend where the last one was lost: what was left by then failed. */
  readonly stoppedBy: IbatchError | undefined;
  /** Backends that take no runs any more, and why: a line each. */
  readonly givenUp: readonly string[];
}
