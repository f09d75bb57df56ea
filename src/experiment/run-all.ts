/** All runs, at backends that work side by side. */
import { IbatchError, Interrupted } from "../errors.js";
import type { RunDocument } from "../record/run-document.js";
import { whenAborted } from "../when-aborted.js";
import type { Backends } from "./backends.js";
import type { ExperimentInputs } from "./experiment-inputs.js";
import type { KeptRuns } from "./kept-runs.js";
import { Losses } from "./losses.js";
import type { PlannedRun } from "./plan-runs.js";
import type { Preflight } from "./preflight.js";
import { madeIn } from "./recorded.js";
import { Unfit } from "./run.js";
import { type Ended, failed, isEveryRuns, isThisRunsAlone, onRecord, runAndRecord } from "./run-and-record.js";
import { clearEnded } from "./run-end.js";
import { RunQueue } from "./run-queue.js";
import type { ArmsRun, RunResult } from "./run-result.js";

/** What was found before the first run begins. */
interface Found {
  readonly kept: KeptRuns;
  readonly tried: Preflight;
}

/**
 * Each backend of the pool takes one run after another. One that serves no more leaves what is left to the others; the last
 * one records it as failed.
 * @throws Interrupted; IbatchError that no run has met alone. The runs under way are recorded as interrupted then.
 */
export async function runAll(
  experiment: ExperimentInputs,
  runs: readonly PlannedRun[],
  found: Found,
): Promise<ArmsRun> {
  const { workplace, signal } = experiment;
  const stop = new AbortController();
  const forget = whenAborted(signal, () => stop.abort(signal.reason));
  const shift = new Shift({ ...experiment, signal: stop.signal }, runs, found);
  const workers = workplace.pool.map(async (backends) => {
    try {
      await shift.work(backends);
    } catch (error) {
      stop.abort();
      throw error;
    }
  });
  const errors = (await Promise.allSettled(workers)).flatMap((ended) =>
    ended.status === "rejected" ? ended.reason : [],
  );
  forget();
  if (errors.length > 0) throw errors.find((error) => !(error instanceof Interrupted)) ?? errors[0];
  return shift.ended;
}

/** The runs of a command while they are done. */
class Shift {
  readonly #experiment: ExperimentInputs;
  readonly #runs: readonly PlannedRun[];
  readonly #found: Found;
  readonly #queue: RunQueue;
  readonly #results = new Map<PlannedRun, RunResult>();
  /** Those that take runs. */
  readonly #working: Set<Backends>;
  #underWay = 0;
  /** Of backends that are free, and wait whether a run is given back. */
  readonly #waiting = new Set<() => void>();
  #stoppedBy: IbatchError | undefined;

  constructor(experiment: ExperimentInputs, runs: readonly PlannedRun[], found: Found) {
    this.#experiment = experiment;
    this.#runs = runs;
    this.#found = found;
    this.#working = new Set(experiment.workplace.pool);
    this.#queue = new RunQueue(runs, this.#working.size);
  }

  get ended(): ArmsRun {
    const results = this.#runs.flatMap((run) => this.#results.get(run) ?? []);
    return { results, stoppedBy: this.#stoppedBy };
  }

  /** Until no run is left, or these backends serve no more and others do. */
  async work(backends: Backends): Promise<void> {
    const losses = new Losses();
    try {
      for (let run = await this.#next(); run !== undefined; run = await this.#next()) {
        await this.#take(run, backends, losses);
        if (!this.#working.has(backends)) return;
      }
    } finally {
      this.#working.delete(backends);
    }
  }

  /** Waits as long as a run that is under way may still be given back; undefined: none is left. */
  async #next(): Promise<PlannedRun | undefined> {
    for (;;) {
      const run = this.#queue.take();
      if (run !== undefined) this.#underWay += 1;
      if (run !== undefined || this.#underWay === 0) return run;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  async #take(run: PlannedRun, backends: Backends, losses: Losses): Promise<void> {
    try {
      if (this.#experiment.signal.aborted) throw new Interrupted();
      const outcome = run.finished ?? (await this.#run(begun(run), backends, losses));
      // Nothing is awaited from here on, so that of backends which are given up together the last one knows it.
      const ended = outcome instanceof IbatchError ? this.#settle(run, outcome, losses) : outcome;
      if (ended !== undefined) this.#record(run, ended, losses);
      if (losses.refusal !== undefined && this.#hasOthers) this.#working.delete(backends);
    } finally {
      this.#underWay -= 1;
      this.#wakeWaiting();
    }
  }

  #wakeWaiting(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  get #hasOthers(): boolean {
    return this.#working.size > 1;
  }

  /** How it ended, or what came in its way. */
  async #run(run: PlannedRun, backends: Backends, losses: Losses): Promise<Ended | IbatchError> {
    const { kept, tried } = this.#found;
    const { arm } = run.place;
    const refusal = this.#experiment.refused?.get(arm) ?? tried.refusal(arm) ?? losses.refusal;
    if (refusal !== undefined) return failed(run, refusal);
    try {
      return await runAndRecord(this.#experiment, run, backends, kept);
    } catch (error) {
      if (!(error instanceof IbatchError)) throw error;
      if (!(error instanceof Unfit)) return error;
      await tried.tryAll(backends); // ends it where no arm fits, and no run has begun
      return failed(run, error);
    }
  }

  /** As failed; undefined where it did not begin, as none would with these backends, and others may take it. */
  #settle(run: PlannedRun, error: IbatchError, losses: Losses): Ended | undefined {
    this.#judge(error, losses);
    if (losses.refusal === undefined || run.record.started || !this.#hasOthers) return failed(begun(run), error);
    this.#queue.giveBack(run);
    this.#experiment.audience.note(`a backend is given up, and others do what is left: ${error.message}`);
    return undefined;
  }

  #record(run: PlannedRun, { document, metrics, lost }: Ended, losses: Losses): void {
    const { arm, seed, state, error, divergedAtStep } = document;
    const isKept = run.finished !== undefined;
    if (isKept) clearEnded(this.#experiment, run, document);
    const last = metrics.at(-1);
    this.#experiment.audience.observer.runEnded?.(run.place, { state, kept: isKept, error, divergedAtStep, last });
    this.#results.set(run, { arm, seed, state, error, divergedAtStep, metrics });
    if (isKept) return;
    losses.count(run.place, lost);
    this.#keepEnded(run, document, losses);
    this.#found.kept.release(run.place);
  }

  /** @throws what ends the command: no run has begun yet, or it is nothing that a run may meet. */
  #judge(error: unknown, losses: Losses): void {
    const canGoOn = this.#hasOthers || this.#runs.some(({ record }) => record.started);
    if (isEveryRuns(error) && canGoOn) {
      losses.stop(error);
      if (!this.#hasOthers) this.#stoppedBy = error;
    } else if (!isThisRunsAlone(error)) throw error;
  }

  /** What the next runs are made beside from now on, whatever ended this one: where that cannot be seen, none is made. */
  #keepEnded(run: PlannedRun, document: RunDocument, losses: Losses): void {
    if (losses.refusal !== undefined) return;
    const { directory } = run.record;
    try {
      const made = madeIn({ ...run.place, directory }, onRecord(run, document), this.#experiment.config);
      this.#found.kept.keep(directory, made);
    } catch (error) {
      this.#judge(error, losses);
    }
  }
}

const begun = (run: PlannedRun): PlannedRun => ({
  ...run,
  document: { ...run.document, startedAt: new Date().toISOString() },
});
