/** All runs, at backends that work side by side. */
import { BackendError } from "../backend/errors.js";
import { IbatchError, Interrupted } from "../errors.js";
import type { RunDocument } from "../record/run-document.js";
import { whenAborted } from "../when-aborted.js";
import { pause, secondsBefore } from "./back-off.js";
import type { Backends } from "./backends.js";
import type { ExperimentInputs } from "./experiment-inputs.js";
import type { KeptRuns } from "./kept-runs.js";
import { Losses } from "./losses.js";
import { runText } from "./observer.js";
import type { PlannedRun } from "./plan-runs.js";
import { PoolStandard } from "./pool-standard.js";
import type { Preflight } from "./preflight.js";
import { madeIn } from "./recorded.js";
import { Unfit } from "./run.js";
import {
  type Ended,
  failed,
  isEveryRuns,
  isThisRunsAlone,
  LeftToOthers,
  onRecord,
  runAndRecord,
  tellWhereAnew,
} from "./run-and-record.js";
import { clearEnded, recordInterrupted } from "./run-end.js";
import { RunQueue } from "./run-queue.js";
import type { ArmsRun, RunResult } from "./run-result.js";
import { isBusy, isMachinesOwn, isOtherwise } from "./whose-fault.js";

/** What was found before the first run begins. */
interface Found {
  readonly kept: KeptRuns;
  readonly tried: Preflight;
}

/**
 * Each backend of the pool takes one run after another. What one of them loses, or lacks something for, goes to the others, from
 * its newest checkpoint; one that is given up leaves what is left to them, and the last one records it as failed. `stop`: by
 * which the experiment ends, also where one of them meets what ends all.
 * @throws Interrupted; IbatchError that no run has met alone. The runs under way are recorded as interrupted then.
 */
export async function runAll(
  experiment: ExperimentInputs,
  runs: readonly PlannedRun[],
  found: Found,
  stop: AbortController,
): Promise<ArmsRun> {
  const shift = new Shift(experiment, runs, found);
  await shift.begin();
  const workers = experiment.workplace.pool.map(async (backends) => {
    try {
      await shift.work(backends);
    } catch (error) {
      stop.abort();
      throw error;
    }
  });
  const settled = await Promise.allSettled(workers);
  const errors = settled.flatMap((ended): unknown[] => (ended.status === "rejected" ? [ended.reason] : []));
  if (errors.length > 0) {
    shift.interruptWaiting();
    throw errors.find((error) => !(error instanceof Interrupted)) ?? errors[0];
  }
  return shift.ended;
}

/** Who takes runs: a backend, or another one in its place. */
interface Worker {
  readonly backends: Backends;
  readonly losses: Losses;
  /** There was a backend. */
  hadOne: boolean;
  /** In which this one was tried and none trained, since a run ended here. */
  idleSeconds: number;
  /** Why the last run was left that was. */
  leftFor: IbatchError | undefined;
  /** It is otherwise than a backend that may turn out to do no run. */
  isHeldBack: boolean;
}

/**
 * Why a run is left to others: its backend was `lost` under it, is `away` for now, has no room or no data for it, is otherwise
 * than what the other runs are made with (`unfit`), or than what sets that and is yet to make one (`other`).
 */
interface Left {
  readonly why: "lost" | "away" | "lack" | "unfit" | "other";
  readonly error: IbatchError;
}

/** The runs of a command while they are done. */
class Shift {
  readonly #experiment: ExperimentInputs;
  readonly #runs: readonly PlannedRun[];
  readonly #found: Found;
  readonly #queue: RunQueue;
  readonly #results = new Map<PlannedRun, RunResult>();
  readonly #restarts = new Map<PlannedRun, { used: number }>();
  /** Those that take runs, also while they try to have their backend back. */
  readonly #working: Set<Worker>;
  #underWay = 0;
  /** Of workers that are free, and wait whether a run is given back. */
  readonly #waiting = new Set<() => void>();
  /** Aborts when no run is left. */
  readonly #over = new AbortController();
  readonly #standard: PoolStandard;
  /** Why, in a line each. */
  readonly #givenUp = new Map<Worker, string>();
  #stoppedBy: IbatchError | undefined;

  constructor(experiment: ExperimentInputs, runs: readonly PlannedRun[], found: Found) {
    this.#experiment = experiment;
    this.#runs = runs;
    this.#found = found;
    this.#standard = new PoolStandard(found.kept);
    found.kept.tell(() => this.#wakeWaiting()); // who is held back need not wait any more
    this.#working = new Set(
      experiment.workplace.pool.map((backends) => ({
        backends,
        losses: new Losses(),
        hadOne: false,
        idleSeconds: 0,
        leftFor: undefined,
        isHeldBack: false,
      })),
    );
    this.#queue = new RunQueue(runs, this.#working.size);
    whenAborted(experiment.signal, () => {
      this.#over.abort();
      this.#wakeWaiting();
    });
  }

  get ended(): ArmsRun {
    const results = this.#runs.flatMap((run) => this.#results.get(run) ?? []);
    return { results, stoppedBy: this.#stoppedBy, givenUp: [...this.#givenUp.values()] };
  }

  /** The first backend sets what the others are to be like. */
  async begin(): Promise<void> {
    const [first, ...others] = this.#experiment.workplace.pool;
    if (others.length === 0 || this.#runs.every(({ finished }) => finished !== undefined)) return;
    try {
      const { introduction } = await first.get({ waits: false, over: this.#over.signal });
      this.#standard.setBy(first, introduction);
    } catch (error) {
      if (!(error instanceof IbatchError) || error instanceof Interrupted) throw error; // its first run meets others
    }
  }

  /** Until no run is left, or others do what is left. */
  async work(backends: Backends): Promise<void> {
    const worker = [...this.#working].find((one) => one.backends === backends);
    if (worker === undefined) return;
    try {
      for (let run = await this.#next(worker); run !== undefined; run = await this.#next(worker)) {
        const isAway = await this.#take(run, worker);
        if (isAway && this.#working.has(worker)) await this.#recover(worker);
        if (this.#working.has(worker)) continue;
        await backends.discard();
        if (!(await this.#isTakenBack(worker))) return;
      }
    } finally {
      this.#leave(worker);
    }
  }

  /** What was begun and waits to go on says so. */
  interruptWaiting(): void {
    for (const run of this.#queue.waiting) if (run.record.started) recordInterrupted(run, new Interrupted());
  }

  /** Waits as long as a run that is under way may still be given back; undefined: none is left. */
  async #next(worker: Worker): Promise<PlannedRun | undefined> {
    for (;;) {
      worker.isHeldBack &&= this.#standard.isUnproven;
      const run = worker.isHeldBack ? undefined : this.#takeFor(worker);
      if (run !== undefined) this.#underWay += 1;
      if (run !== undefined || (this.#underWay === 0 && this.#queue.isEmpty)) return run;
      if (this.#experiment.signal.aborted) throw new Interrupted();
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  #takeFor(worker: Worker): PlannedRun | undefined {
    const mayTake = (run: PlannedRun) => this.#mayTake(run, worker);
    return this.#queue.take((run) => mayTake(run) && !worker.losses.shuns(run)) ?? this.#queue.take(mayTake);
  }

  /** What a backend cannot do is left to the others for as long as one of them may. */
  #mayTake(run: PlannedRun, worker: Worker): boolean {
    return !worker.losses.avoids(run) || !this.#isForOthers(run, worker);
  }

  #isForOthers(run: PlannedRun, worker: Worker): boolean {
    return [...this.#working].some((other) => other !== worker && !other.losses.avoids(run));
  }

  /** Whether the worker is without its backend then. */
  async #take(run: PlannedRun, worker: Worker): Promise<boolean> {
    try {
      this.#refuseWhenStopped(run);
      const outcome = run.finished ?? (await this.#run(run, worker));
      // Nothing is awaited from here on, so that of backends which are given up together the last one knows it.
      if (isLeft(outcome)) return this.#giveBack(run, worker, outcome);
      this.#record(run, outcome instanceof IbatchError ? this.#settle(run, outcome, worker) : outcome, worker);
      const { reason } = worker.losses;
      if (reason !== undefined && this.#hasOthers && this.#stoppedBy === undefined) this.#giveUp(worker, reason);
      return false;
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0 && this.#queue.isEmpty) this.#over.abort();
      this.#wakeWaiting();
    }
  }

  /** What was begun, and lost its backend, says so. */
  #refuseWhenStopped(run: PlannedRun): void {
    if (!this.#experiment.signal.aborted) return;
    const interrupted = new Interrupted();
    if (run.record.started) recordInterrupted(run, interrupted);
    throw interrupted;
  }

  #wakeWaiting(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** Of one that was given up: whether what it could not do turns out to be the runs' own fault while some are left. */
  async #isTakenBack(worker: Worker): Promise<boolean> {
    while (this.#givenUp.has(worker) && !this.#over.signal.aborted) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
    return this.#working.has(worker);
  }

  #leave(worker: Worker): void {
    this.#working.delete(worker);
    this.#standard.forget(worker.backends);
    this.#wakeWaiting();
  }

  get #hasOthers(): boolean {
    return this.#working.size > 1;
  }

  /** How it ended, or what came in its way. */
  async #run(run: PlannedRun, worker: Worker): Promise<Ended | IbatchError | Left> {
    const { backends, losses } = worker;
    const { kept, tried } = this.#found;
    const { arm } = run.place;
    const refusal = this.#experiment.refused?.get(arm) ?? tried.refusal(arm) ?? losses.refusal;
    if (refusal !== undefined) return failed(begun(run), refusal);
    const absence = this.#hasOthers ? await this.#absence(worker) : undefined;
    if (absence !== undefined) return absence;
    try {
      const restarts = this.#restartsOf(run);
      return await runAndRecord(this.#experiment, begun(run), {
        ...{ backends, kept, restarts },
        hasOthers: () => this.#hasOthers,
      });
    } catch (error) {
      if (error instanceof LeftToOthers) return { why: error.why, error: error.error };
      if (!(error instanceof IbatchError)) throw error;
      const why = this.#whyLeft(error, run, worker);
      if (why !== undefined) return { why, error };
      if (!(error instanceof Unfit)) return error;
      await tried.tryAll(backends); // ends it where no arm fits, and no run has begun
      return failed(begun(run), error);
    }
  }

  /** Where others may fare better; one that nobody has room for failed by itself. */
  #whyLeft(error: IbatchError, run: PlannedRun, worker: Worker): Left["why"] | undefined {
    if (!this.#hasOthers) return undefined;
    if (isOtherwise(error)) return "unfit";
    if (isBusy(error)) return "away";
    return isMachinesOwn(error) && (isEveryRuns(error) || this.#isForOthers(run, worker)) ? "lack" : undefined;
  }

  #restartsOf(run: PlannedRun): { used: number } {
    const restarts = this.#restarts.get(run) ?? { used: 0 };
    this.#restarts.set(run, restarts);
    return restarts;
  }

  /** Why there is none that could do what others can do. */
  async #absence(worker: Worker): Promise<Left | undefined> {
    try {
      const { introduction } = await worker.backends.get({ waits: false, over: this.#over.signal });
      worker.hadOne = true;
      const other = this.#standard.whyOther(introduction);
      if (other === undefined) return undefined;
      return { why: this.#standard.isUnproven ? "other" : "unfit", error: new IbatchError("usage", other) };
    } catch (error) {
      if (!(error instanceof IbatchError) || error instanceof Interrupted) throw error;
      if (error.kind === "surroundings") return { why: "away", error };
      const hasBegun = this.#runs.some(({ record }) => record.started);
      if (error.kind === "usage" && hasBegun) return { why: "unfit", error };
      throw error;
    }
  }

  /** The run is the next one, and others may take it. Returns whether the worker is without its backend. */
  #giveBack(run: PlannedRun, worker: Worker, { why, error }: Left): boolean {
    this.#queue.giveBack(run);
    worker.leftFor = error;
    worker.isHeldBack = why === "other";
    this.#standard.forget(worker.backends);
    if (run.record.started) this.#experiment.audience.observer.runLeft?.(run.place);
    if (this.#hasOthers) return this.#leaveToOthers(run, worker, { why, error });
    return why === "lost"; // the others left meanwhile, and it is done as by one backend
  }

  #leaveToOthers(run: PlannedRun, worker: Worker, { why, error }: Left): boolean {
    const { losses, backends } = worker;
    const { note } = this.#experiment.audience;
    if (why === "other") return false;
    if (why === "away") return this.#isWaitedFor(worker, error);
    const isNobodys = why === "lack" && !this.#isForOthers(run, worker);
    if (why === "unfit" || isNobodys) {
      this.#giveUp(worker, error);
      return false;
    }
    if (why === "lack") {
      losses.lack(run);
      note(`${runText(run.place)}: left to others than ${backends.name}: ${error.message}`);
      tellWhereAnew(run, this.#found.kept, note);
    }
    if (why === "lost") losses.lose(run, { gotOn: this.#gotOn(run) });
    const tooMany = losses.tooMany(run, error, this.#queue.waiting);
    if (tooMany !== undefined) this.#giveUp(worker, tooMany);
    return why === "lost";
  }

  /** One of ours that never was there is not tried again. */
  #isWaitedFor(worker: Worker, error: IbatchError): boolean {
    const { name, isElsewhere } = worker.backends;
    worker.losses.miss();
    const isWaitedFor = isElsewhere || worker.hadOne;
    const line = `${name} cannot be had now, and others do what is left until it can: ${error.message}`;
    if (isWaitedFor) this.#experiment.audience.note(line);
    else this.#giveUp(worker, error);
    return isWaitedFor;
  }

  /** By its newest checkpoint, since this was asked last. */
  readonly #steps = new Map<PlannedRun, number>();
  #gotOn(run: PlannedRun): boolean {
    const before = this.#steps.get(run) ?? 0;
    const [now = 0] = run.record.checkpoints.steps;
    this.#steps.set(run, now);
    return now > before;
  }

  /** Others do what is left; the last one has it fail. */
  #giveUp(worker: Worker, { message }: IbatchError): void {
    const { name } = worker.backends;
    this.#experiment.audience.note(`${name} is given up, and others do what is left: ${message}`);
    this.#givenUp.set(worker, `${name} was given up: ${message}`);
    this.#leave(worker);
  }

  /** Tries to have its backend back, less and less often, while others do what is left; not for longer than these wait for it. */
  async #recover(worker: Worker): Promise<void> {
    const { backends, losses } = worker;
    const { signal, config, audience } = this.#experiment;
    const over = this.#over.signal;
    await backends.discard();
    for (let attempt = losses.attempt; this.#hasOthers && !over.aborted; attempt++) {
      const seconds = secondsBefore(attempt);
      await pause(seconds, signal, over);
      if (this.#underWay === 0) worker.idleSeconds += seconds;
      const absence = await this.#absence(worker).catch((error: unknown) => {
        if (over.aborted) return undefined;
        throw error;
      });
      if (over.aborted) return;
      const isIdleForLong = backends.isElsewhere && worker.idleSeconds >= config.backend.startSeconds;
      const { leftFor } = worker; // one that somebody else keeps busy is there, and of no use
      if (absence === undefined && leftFor !== undefined && isIdleForLong && this.#hasOthers)
        return this.#giveUp(worker, leftFor);
      if (absence === undefined) return audience.log(`${backends.name} is back`);
      const isEnough = isIdleForLong || (!backends.isElsewhere && attempt >= MOST_STARTS);
      if (this.#hasOthers && (isEnough || absence.why === "unfit")) return this.#giveUp(worker, absence.error);
    }
  }

  /** As failed. */
  #settle(run: PlannedRun, error: IbatchError, { losses }: Worker): Ended {
    this.#judge(error, losses);
    if (isMachinesOwn(error)) this.#forgive(run);
    return failed(begun(run), error);
  }

  /** Nobody could do it. */
  #forgive(run: PlannedRun): void {
    for (const worker of [...this.#working, ...this.#givenUp.keys()]) {
      if (!worker.losses.forgive(run) || !this.#givenUp.delete(worker)) continue;
      this.#working.add(worker);
      this.#experiment.audience.note(
        `${worker.backends.name} takes runs again: no other one could do what it could not`,
      );
    }
  }

  #record(run: PlannedRun, { document, metrics, lost }: Ended, worker: Worker): void {
    const { losses } = worker;
    const { arm, seed, state, error, divergedAtStep } = document;
    const isKept = run.finished !== undefined;
    if (isKept) clearEnded(this.#experiment, run, document);
    const last = metrics.at(-1);
    this.#experiment.audience.observer.runEnded?.(run.place, { state, kept: isKept, error, divergedAtStep, last });
    this.#results.set(run, { arm, seed, state, error, divergedAtStep, metrics });
    if (isKept) return;
    losses.count(run, lost);
    worker.idleSeconds = 0;
    this.#keepEnded(run, document, losses);
    this.#found.kept.release(run.place, document);
  }

  /** @throws what ends the command: no run has begun yet, or it is nothing that a run may meet. */
  #judge(error: unknown, losses: Losses): void {
    const canGoOn = this.#hasOthers || this.#runs.some(({ record }) => record.started);
    if (isEveryRuns(error) && canGoOn) {
      const isOurs = !(error instanceof BackendError); // a full disk, say: others would not fare better
      for (const stopped of isOurs ? [...this.#working].map((worker) => worker.losses) : [losses]) stopped.stop(error);
      if (isOurs || !this.#hasOthers) this.#stoppedBy = error;
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

/** Of a backend of ours that was there before and does not start any more. */
const MOST_STARTS = 3;

const isLeft = (outcome: Ended | IbatchError | Left): outcome is Left => "why" in outcome;

const begun = (run: PlannedRun): PlannedRun => ({
  ...run,
  document: { ...run.document, startedAt: new Date().toISOString() },
});
