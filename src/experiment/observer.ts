import type { EpochMetrics, RunState } from "../record/run-record.js";

/** Which run of how many. */
export interface RunPlace {
  readonly arm: string;
  readonly seed: number;
  /** From 0. */
  readonly number: number;
  readonly total: number;
  readonly epochs: number;
}

/** Told of what happens, for progress and logs; nothing it does changes the experiment. */
export interface Observer {
  /** `kept`: the run was complete already and is taken as recorded. */
  runStarted?(place: RunPlace, kept: boolean): void;
  /** A chunk was trained on. `share` of the run's samples that are done; mean loss of the epoch so far. */
  trained?(place: RunPlace, progress: { epoch: number; samples: number; share: number; loss: number }): void;
  epochEnded?(place: RunPlace, metrics: EpochMetrics): void;
  runEnded?(place: RunPlace, outcome: { state: RunState; error?: string; last?: EpochMetrics }): void;
}
