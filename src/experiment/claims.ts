/** The runs of a command are taken before it does anything: a run that another process holds is left to that one. */
import { join } from "node:path";
import type { ExperimentConfig } from "../config/config.js";
import { IbatchError, usageError } from "../errors.js";
import type { ExperimentRecord } from "../record/experiment-record.js";
import { whatToDo } from "../record/lock.js";
import { askable, type Holder, holderText, LOCK, SILENCE_SECONDS } from "../record/lock-holder.js";
import { isFinishedOnRecord, openRun } from "../record/read-run.js";
import { sweepLock } from "../record/run-claims.js";
import { runDirectory, stampOf } from "../record/run-places.js";
import { pause } from "./back-off.js";
import { runText } from "./observer.js";
import { type RunOfConfig, runsOf, type Share } from "./share.js";

/** A run that another living process holds. */
export interface HeldRun extends RunOfConfig {
  readonly holder: Holder;
}

/** Who is told that others are waited for, and what ends that. */
export interface Waiting {
  readonly signal: AbortSignal;
  note(line: string): void;
}

/**
 * Takes all runs that are still to be done, at once: of two commands that begin together one gets them. Returns those that
 * others hold.
 * @throws IbatchError where nothing is left to take; Interrupted.
 */
export async function claimRuns(
  config: Pick<ExperimentConfig, "arms" | "seeds">,
  record: ExperimentRecord,
  share: Pick<Share, "has"> | undefined,
  waiting: Waiting,
): Promise<HeldRun[]> {
  const take = () =>
    record.exclusively(() => {
      const toDo = runsOf(config, share).filter((run) => !isDone(record, run));
      const held = toDo.flatMap((run) => {
        const holder = record.claim(run.arm, run.seed);
        return holder === undefined ? [] : [{ ...run, holder }];
      });
      return { held, isNothingLeft: held.length > 0 && held.length === toDo.length };
    });
  const first = take();
  if (!first.isNothingLeft) return first.held;
  await hearHolders(record, first.held, waiting);
  const { held, isNothingLeft } = take();
  if (isNothingLeft) throw nothingLeft(record.directory, held);
  return held;
}

/**
 * Of runs that others held, takes those whose holder is gone and did not end them. One that failed there is left as it is:
 * that is an end, too, as long as nobody gives the command again.
 * @throws Interrupted
 */
export async function claimLeftBehind(
  record: ExperimentRecord,
  held: readonly HeldRun[],
  waiting: Waiting,
): Promise<HeldRun[]> {
  const take = () =>
    record.exclusively(() =>
      held.filter((run) => !isEnded(record, run) && record.claim(run.arm, run.seed) === undefined),
    );
  const left = take();
  if (left.length > 0) return left;
  const isWaitedFor = await hearHolders(
    record,
    held.filter((run) => !isEnded(record, run)),
    waiting,
  );
  return isWaitedFor ? take() : [];
}

const LOOK_SECONDS = 0.5;

/**
 * Until those that cannot be asked from here have said that they live, or count as gone: a node that was lost a moment ago looks
 * like one that works. Returns whether there were any.
 */
async function hearHolders(
  { directory }: ExperimentRecord,
  held: readonly HeldRun[],
  { signal, note }: Waiting,
): Promise<boolean> {
  const unasked = held.filter(({ holder }) => holder.beats && !askable(holder));
  if (unasked.length === 0) return false;
  const locks = unasked.map(({ arm, seed }) => join(runDirectory(directory, arm, seed), LOCK));
  const stamps = locks.map(stampOf);
  const which = byHolder(unasked).map(({ text }) => text);
  note(`waits for ${which.join(", ")}: after ${SILENCE_SECONDS} s of silence what is left there is done here`);
  const isSilent = () => locks.some((lock, at) => stamps[at] !== undefined && stampOf(lock) === stamps[at]);
  const last = performance.now() + 1000 * (SILENCE_SECONDS + 1);
  while (isSilent() && performance.now() < last) await pause(LOOK_SECONDS, signal);
  return true;
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
function isDone(record: ExperimentRecord, { arm, seed }: RunOfConfig): boolean {
  record.sayAlive(); // there may be thousands
  const directory = runDirectory(record.directory, arm, seed);
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
