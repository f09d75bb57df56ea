/** Where an epoch's wall time goes. */
import type { EpochTimings } from "../record/epoch-metrics.js";

export const secondsSince = (start: number): number => (performance.now() - start) / 1000;

export async function timed<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number }> {
  const start = performance.now();
  const result = await work();
  return { result, seconds: secondsSince(start) };
}

/** Seconds of each kind of work. */
export interface WorkSeconds {
  training: number;
  scoring: number;
  evaluating: number;
}

/** What an epoch's wall time is split by. */
export interface EpochSeconds {
  /** Of making the order and the rates. */
  readonly ordering: number;
  /** What the backend spent, as it measured it. */
  readonly spent: WorkSeconds;
  /** From sending the first message of a kind to the last answer. */
  readonly underWay: WorkSeconds;
  /** Of making the next plan, while the backend evaluated. */
  readonly nextOrdering: number;
}

/** Splits an epoch's wall time. */
export class Clock {
  readonly #start = performance.now();

  timings(epoch: number, { ordering, spent, underWay, nextOrdering }: EpochSeconds): EpochTimings {
    const totalSeconds = secondsSince(this.#start);
    // The answer was there before it was taken, where the next plan took longer than the evaluation: nothing was under way.
    const outlasted = Math.max(0, nextOrdering - spent.evaluating);
    const underWaySeconds = underWay.scoring + underWay.training + Math.max(0, underWay.evaluating - outlasted);
    return {
      epoch,
      orderingSeconds: ordering,
      trainingSeconds: spent.training,
      scoringSeconds: spent.scoring,
      evaluatingSeconds: spent.evaluating,
      wireSeconds: underWaySeconds - spent.training - spent.scoring - spent.evaluating,
      waitingSeconds: totalSeconds - underWaySeconds,
      totalSeconds,
    };
  }
}
