/** Where an epoch's wall time goes. */
import type { EpochTimings } from "../record/run-record.js";

export const secondsSince = (start: number): number => (performance.now() - start) / 1000;

export async function timed<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number }> {
  const start = performance.now();
  const result = await work();
  return { result, seconds: secondsSince(start) };
}

/** Splits an epoch's wall time. */
export class Clock {
  readonly #start = performance.now();

  timings(
    epoch: number,
    orderingSeconds: number,
    spent: { training: number; evaluating: number },
    underWaySeconds: number,
  ): EpochTimings {
    const totalSeconds = secondsSince(this.#start);
    return {
      epoch,
      orderingSeconds,
      trainingSeconds: spent.training,
      scoringSeconds: 0,
      evaluatingSeconds: spent.evaluating,
      wireSeconds: underWaySeconds - spent.training - spent.evaluating,
      waitingSeconds: totalSeconds - underWaySeconds,
      totalSeconds,
    };
  }
}
