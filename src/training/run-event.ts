/** What happens in a run, as its listeners are told. They answer nothing; what one throws ends the run. */
import type { EpochMetrics, EpochTimings } from "../record/epoch-metrics.js";
import type { PlanHashes, RecordedImages } from "../record/run-record.js";
import type { Plan } from "./plan.js";
import type { SignalHistory } from "./sample-signals.js";
import type { TrainedOn } from "./session.js";

export type RunEvent =
  /** A scoring pass before an epoch. */
  | { readonly type: "scored"; readonly epoch: number; readonly history: SignalHistory }
  /** Nothing of the plan was sent yet; or, of an epoch that was decided batch by batch, all of it was trained on. */
  | { readonly type: "planned"; readonly epoch: number; readonly plan: Plan; readonly hashes: PlanHashes }
  /**
   * The next batch of an epoch that is decided batch by batch, which was not sent yet: samples of the epoch from this one on.
   * From 0 on it is all of them, also where a run goes on.
   */
  | {
      readonly type: "decided";
      readonly epoch: number;
      readonly from: number;
      readonly indices: Uint32Array;
      readonly weights: Float32Array | undefined;
    }
  | ChunkTrained
  /** All training passes of an epoch, or those up to a divergence. */
  | { readonly type: "epochTrained"; readonly epoch: number; readonly history: SignalHistory }
  | { readonly type: "evaluated"; readonly epoch: number; readonly testPredictions: Uint32Array | undefined }
  | { readonly type: "epochEnded"; readonly metrics: EpochMetrics; readonly timings: EpochTimings }
  /** Every sample of the training set, by the final weights: [n]. */
  | { readonly type: "scoredAll"; readonly losses: Float32Array }
  /** Pictures of its hardest samples. */
  | { readonly type: "pictured"; readonly images: RecordedImages }
  /** A line for the experiment's log. */
  | { readonly type: "logged"; readonly line: string };

export interface ChunkTrained {
  readonly type: "trained";
  readonly epoch: number;
  readonly trained: TrainedOn;
  /** Of the run so far. */
  readonly samples: number;
  /** Of the run's samples, those that are done. */
  readonly share: number;
  /** Mean loss of the epoch so far. */
  readonly loss: number;
}

export type Listener = (event: RunEvent) => void;

/** Tells all of them, in this order. */
export const tellAll =
  (...listeners: readonly Listener[]): Listener =>
  (event) => {
    for (const listener of listeners) listener(event);
  };
