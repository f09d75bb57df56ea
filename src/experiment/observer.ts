import type { EpochMetrics } from "../record/epoch-metrics.js";
import type { RunStatus } from "../record/run-document.js";
import type { Listener } from "../training/run-event.js";
import type { RunState } from "../training/run-state.js";

/** Which run of how many. */
export interface RunPlace {
  readonly arm: string;
  readonly seed: number;
  /** From 0. */
  readonly number: number;
  readonly total: number;
  /** Undefined where a budget says the length. */
  readonly epochs: number | undefined;
}

/** As lines for people begin that are about this run. */
export const runText = ({ arm, seed }: Pick<RunPlace, "arm" | "seed">): string => `${arm}, seed ${seed}`;

export interface RunOutcome {
  readonly state: RunStatus;
  /** The run was complete already and is taken as recorded. */
  readonly kept: boolean;
  readonly error: string | undefined;
  readonly divergedAtStep: number | undefined;
  /** Its last recorded epoch. */
  readonly last: EpochMetrics | undefined;
}

/** Who is told of an experiment. */
export interface Audience {
  readonly observer: Observer;
  /** A line for a person, told once, and for the log, each time. */
  note(line: string): void;
  /** A line for the log, at any rate; never throws. */
  log(line: string): void;
}

export function audienceOf(observer: Observer, log: (line: string) => void): Audience {
  const tellOnce = eachOnce((line) => observer.noted?.(line));
  const note = (line: string) => {
    log(line);
    tellOnce(line);
  };
  return { observer, note, log };
}

/** Tells each line once, however often it comes. */
export function eachOnce(tell: (line: string) => void): (line: string) => void {
  const told = new Set<string>();
  return (line) => {
    if (!told.has(line)) tell(line);
    told.add(line);
  };
}

/** Where a run stood at the checkpoint that it goes on from: batches and samples trained on, and whole epochs. */
export type ResumedFrom = Pick<RunState, "step" | "samples" | "epoch">;

/** Told of what happens, for progress and logs; it answers nothing. What it throws ends the experiment. */
export interface Observer {
  /** Something that a person should know of what the runs use; it is in the log, too. */
  noted?(line: string): void;
  /** Its session is open. Not told of runs that are kept, or that cannot be opened. `from`: where it goes on, if it does. */
  runStarted?(place: RunPlace, from?: ResumedFrom): void;
  /** A chunk was trained on. `share` of the run's samples that are done; mean loss of the epoch so far. */
  trained?(place: RunPlace, progress: { epoch: number; samples: number; share: number; loss: number }): void;
  /** It has no backend for now, and waits for one: it is started again. */
  runLeft?(place: RunPlace): void;
  epochEnded?(place: RunPlace, metrics: EpochMetrics): void;
  runEnded?(place: RunPlace, outcome: RunOutcome): void;
}

/** The listener that tells an observer what it wants to know of a run. */
export const tellObserver =
  (observer: Observer, place: RunPlace): Listener =>
  (event) => {
    if (event.type === "trained") {
      const { epoch, samples, share, loss } = event;
      observer.trained?.(place, { epoch, samples, share, loss });
    }
    if (event.type === "epochEnded") observer.epochEnded?.(place, event.metrics);
  };
