/** The runs of a command are taken before it does anything: a run that another process holds is left to that one. */
import { join } from "node:path";
import type { ExperimentConfig } from "../config/config.js";
import { IbatchError, usageError } from "../errors.js";
import type { ExperimentRecord } from "../record/experiment-record.js";
import { whatToDo } from "../record/lock.js";
import { type Holder, holderText } from "../record/lock-holder.js";
import { isFinishedOnRecord, openRun } from "../record/read-run.js";
import { sweepLock } from "../record/run-claims.js";
import { runDirectory } from "../record/run-places.js";
import { runText } from "./observer.js";
import { type RunOfConfig, runsOf, type Share } from "./share.js";

/** A run that another living process holds. */
export interface HeldRun extends RunOfConfig {
  readonly holder: Holder;
}

/**
 * Takes all runs that are still to be done, at once: of two commands that begin together one gets them. Returns those that
 * others hold.
 * @throws IbatchError where nothing is left to take.
 */
export function claimRuns(
  config: Pick<ExperimentConfig, "arms" | "seeds">,
  record: ExperimentRecord,
  share: Pick<Share, "has"> | undefined,
): HeldRun[] {
  return record.exclusively(() => {
    const toDo = runsOf(config, share).filter((run) => !isDone(record, run));
    const held = toDo.flatMap((run) => {
      const holder = record.claim(run.arm, run.seed);
      return holder === undefined ? [] : [{ ...run, holder }];
    });
    if (held.length > 0 && held.length === toDo.length) throw nothingLeft(record.directory, held);
    return held;
  });
}

/**
 * Of runs that others held, takes those whose holder is gone and did not end them. One that failed there is left as it is:
 * that is an end, too, as long as nobody gives the command again.
 */
export function claimLeftBehind(record: ExperimentRecord, held: readonly HeldRun[]): HeldRun[] {
  return record.exclusively(() =>
    held.filter((run) => !isEnded(record, run) && record.claim(run.arm, run.seed) === undefined),
  );
}

function isEnded({ directory: experiment }: ExperimentRecord, { arm, seed }: RunOfConfig): boolean {
  try {
    const state = openRun(runDirectory(experiment, arm, seed))?.document.state;
    return state !== undefined && state !== "running" && state !== "interrupted";
  } catch (error) {
    if (error instanceof IbatchError) return true; // damaged: whoever asks for it is told
    throw error;
  }
}

/** A run that came to its end is never replaced; a lock that is left of it by a command that was killed goes. */
function isDone({ directory: experiment }: ExperimentRecord, { arm, seed }: RunOfConfig): boolean {
  const directory = runDirectory(experiment, arm, seed);
  if (!isFinishedOnRecord(directory)) return false;
  sweepLock(directory);
  return true;
}

function nothingLeft(directory: string, held: readonly HeldRun[]): IbatchError {
  const [{ holder }] = held;
  const what = held.length === 1 ? "the one run that is" : `all ${held.length} runs that are`;
  const which = byHolder(held).map(({ text, runs }) =>
    runs.length === held.length ? text : `${text} (${runs.length})`,
  );
  return usageError(
    `${directory} is in use by ${which.join(", ")}, with ${what} left to do: ` +
      whatToDo(holder, join(directory, "*", "seed-*", "lock")),
  );
}

/** A line for each process that runs are left to. */
export const leftToOthers = (held: readonly HeldRun[]): string[] =>
  byHolder(held).map(({ text, runs }) => {
    const which = runs.map(runText).join("; ");
    return runs.length === 1
      ? `${which} is left to ${text}, which holds it`
      : `${runs.length} runs are left to ${text}, which holds them: ${which}`;
  });

/** A line for each process that is gone. */
export const takenOver = (left: readonly HeldRun[]): string[] =>
  byHolder(left).map(
    ({ text, runs }) => `${text} is gone, and what it left is done here: ${runs.map(runText).join("; ")}`,
  );

function byHolder(held: readonly HeldRun[]): { readonly text: string; readonly runs: HeldRun[] }[] {
  const groups = new Map<string, HeldRun[]>();
  for (const run of held) {
    const text = holderText(run.holder);
    groups.set(text, [...(groups.get(text) ?? []), run]);
  }
  return [...groups].map(([text, runs]) => ({ text, runs }));
}
