/** Where an epoch's wall time goes. */
import type { EpochTimings } from "../record/epoch-metrics.js";

export const secondsSince = (start: number): number => (performance.now() - start) / 1000;

/** Seconds of each kind of work. */
export interface WorkSeconds {
  training: number;
  scoring: number;
  evaluating: number;
}

/** What an epoch took so far. */
export interface EpochSeconds {
  total: number;
  /** Of making the order and the rates. */
  ordering: number;
  /** What the backend spent, as it measured it. */
  readonly spent: WorkSeconds;
  /** From sending the first message of a kind to the last answer. */
  readonly underWay: WorkSeconds;
}

const noWork = (): WorkSeconds => ({ training: 0, scoring: 0, evaluating: 0 });

export const noSeconds = (): EpochSeconds => ({ total: 0, ordering: 0, spent: noWork(), underWay: noWork() });

/** Adds the time since it was last asked to what an epoch took. */
export class Stopwatch {
  #start = performance.now();

  /**
   * `underWay`: what the backend was at meanwhile; left out: nothing. `ordering`: seconds of deciding within it, which
   * count as far as the backend was not at work.
   */
  lap(seconds: EpochSeconds, underWay?: keyof WorkSeconds, spent?: WorkSeconds, ordering = 0): void {
    const lap = secondsSince(this.#start);
    this.#start = performance.now();
    seconds.total += lap;
    const atWork = spent === undefined ? 0 : spent.training + spent.scoring + spent.evaluating;
    const uncovered = underWay === undefined ? 0 : Math.max(0, lap - atWork);
    const decided = Math.min(ordering, uncovered);
    seconds.ordering += decided;
    if (underWay !== undefined) seconds.underWay[underWay] += lap - decided;
    if (spent === undefined) return;
    for (const kind of ["training", "scoring", "evaluating"] as const) seconds.spent[kind] += spent[kind];
  }
}

/** The next plan, made while the backend evaluates at an epoch's end; both in seconds. */
interface MadeMeanwhile {
  readonly ordering: number;
  /** Of that evaluation alone, as the backend measured it: those within the epoch were over. */
  readonly evaluating: number;
}

export function timingsOf(epoch: number, seconds: EpochSeconds, next: MadeMeanwhile): EpochTimings {
  const { total, ordering, spent, underWay } = seconds;
  // The answer was there before it was taken, where the next plan took longer than the evaluation: nothing was under way.
  const outlasted = Math.max(0, next.ordering - next.evaluating);
  const underWaySeconds = underWay.scoring + underWay.training + Math.max(0, underWay.evaluating - outlasted);
  return {
    epoch,
    orderingSeconds: ordering,
    trainingSeconds: spent.training,
    scoringSeconds: spent.scoring,
    evaluatingSeconds: spent.evaluating,
    wireSeconds: underWaySeconds - spent.training - spent.scoring - spent.evaluating,
    waitingSeconds: total - underWaySeconds,
    totalSeconds: total,
  };
}
