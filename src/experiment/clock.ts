/** Where an epoch's wall time goes. */
import type { EpochTimings } from "../record/run-record.js";

export const secondsSince = (start: number): number => (performance.now() - start) / 1000;

export async function timed<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number }> {
  const start = performance.now();
  const result = await work();
  return { result, seconds: secondsSince(start) };
}

/** What the backend spent on each kind of work, as it measured it. */
export interface SpentSeconds {
  training: number;
  scoring: number;
  evaluating: number;
}

/** Splits an epoch's wall time. */
export class Clock {
  readonly #start = performance.now();

  timings(epoch: number, orderingSeconds: number, spent: SpentSeconds, underWaySeconds: number): EpochTimings {
    const totalSeconds = secondsSince(this.#start);
    return {
      epoch,
      orderingSeconds,
      trainingSeconds: spent.training,
      scoringSeconds: spent.scoring,
      evaluatingSeconds: spent.evaluating,
      wireSeconds: underWaySeconds - spent.training - spent.scoring - spent.evaluating,
      waitingSeconds: totalSeconds - underWaySeconds,
      totalSeconds,
    };
  }
}
