/** All runs, at backends that work side by side. */
import { IbatchError, Interrupted } from "../errors.js";
import { whenAborted } from "../when-aborted.js";
import { Attempts, type Found, isLeft } from "./attempts.js";
import type { ExperimentInputs } from "./experiment-inputs.js";
import { runText } from "./observer.js";
import { Outcomes } from "./outcomes.js";
import type { PlannedRun } from "./plan-runs.js";
import { PoolStandard } from "./pool-standard.js";
import { type Ended, forgetUnsaved } from "./run-and-record.js";
import { recordInterrupted } from "./run-end.js";
import { RunQueue } from "./run-queue.js";
import type { ArmsRun } from "./run-result.js";
import { isMachinesOwn } from "./whose-fault.js";
import { type Left, Worker } from "./worker.js";
import { WorkerPool } from "./worker-pool.js";

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
  const dispatcher = new Dispatcher(experiment, runs, found);
  await dispatcher.begin();
  const workers = dispatcher.workers.map(async (worker) => {
    try {
      await dispatcher.work(worker);
    } catch (error) {
      stop.abort();
      throw error;
    }
  });
  const settled = await Promise.allSettled(workers);
  const errors = settled.flatMap((ended): unknown[] => (ended.status === "rejected" ? [ended.reason] : []));
  if (errors.length > 0) {
    dispatcher.interruptWaiting();
    throw errors.find((error) => !(error instanceof Interrupted)) ?? errors[0];
  }
  return dispatcher.ended;
}

/** Which worker takes which run of a command, and which takes none any more. */
class Dispatcher {
  readonly #experiment: ExperimentInputs;
  readonly #found: Found;
  readonly #runs: readonly PlannedRun[];
  readonly #queue: RunQueue;
  readonly #pool = new WorkerPool();
  readonly #standard: PoolStandard;
  readonly #attempts: Attempts;
  readonly #outcomes: Outcomes;
  /** Aborts when no run is left. */
  readonly #over = new AbortController();
  /** By its newest checkpoint, when it was last left to others. */
  readonly #steps = new Map<PlannedRun, number>();

  constructor(experiment: ExperimentInputs, runs: readonly PlannedRun[], found: Found) {
    this.#experiment = experiment;
    this.#found = found;
    this.#runs = runs;
    const { kept } = found;
    const { pool } = experiment.workplace;
    this.#queue = new RunQueue(runs, pool.length);
    this.#standard = new PoolStandard(kept);
    this.#attempts = new Attempts(experiment, found, this.#pool);
    this.#outcomes = new Outcomes(experiment, runs, { pool: this.#pool, kept });
    const assignment = { experiment, standard: this.#standard, others: this.#pool, over: this.#over.signal };
    const hasBegun = () => this.#outcomes.hasBegun;
    for (const backends of pool) this.#pool.join(new Worker(backends, { ...assignment, hasBegun }));
    kept.tell(() => this.#pool.tell()); // who is held back need not wait any more
    whenAborted(experiment.signal, () => {
      this.#over.abort();
      this.#pool.tell();
    });
  }

  get workers(): readonly Worker[] {
    return this.#pool.taking;
  }

  get ended(): ArmsRun {
    const { results, stoppedBy } = this.#outcomes;
    return { results, stoppedBy, givenUp: this.#pool.whyGivenUp };
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
  async work(worker: Worker): Promise<void> {
    try {
      for (let run = await this.#next(worker); run !== undefined; run = await this.#next(worker)) {
        const isWithout = await this.#take(run, worker);
        if (isWithout && this.#pool.takes(worker)) await this.#recover(worker);
        if (this.#pool.takes(worker)) continue;
        await worker.backends.discard();
        if (!(await this.#isTakenBack(worker))) return;
      }
    } finally {
      this.#standard.forget(worker.backends);
      this.#pool.leave(worker);
    }
    await worker.backends.rest?.();
  }

  /** What was begun and waits to go on says so. */
  interruptWaiting(): void {
    for (const run of this.#queue.waiting) if (run.record.started) recordInterrupted(run, new Interrupted());
  }

  /** Waits as long as a run that is under way may still be given back; undefined: none is left. */
  async #next(worker: Worker): Promise<PlannedRun | undefined> {
    for (;;) {
      const run = worker.isHeldBack ? undefined : this.#takeFor(worker);
      if (run !== undefined) this.#pool.begin();
      if (run !== undefined || this.#isNoneLeft) return run;
      if (this.#experiment.signal.aborted) throw new Interrupted();
      const changed = this.#pool.change();
      await worker.backends.rest?.();
      await changed;
    }
  }

  get #isNoneLeft(): boolean {
    return this.#pool.underWay === 0 && this.#queue.isEmpty;
  }

  /** What a backend cannot do is left to the others for as long as one of them may; what it may lack something for comes last. */
  #takeFor(worker: Worker): PlannedRun | undefined {
    const { losses } = worker;
    const mayTake = (run: PlannedRun) => !losses.avoids(run) || !this.#pool.isForOthers(run, worker);
    return this.#queue.take((run) => mayTake(run) && !losses.shuns(run)) ?? this.#queue.take(mayTake);
  }

  /** Whether the worker is without its backend then. */
  async #take(run: PlannedRun, worker: Worker): Promise<boolean> {
    try {
      this.#refuseWhenStopped(run);
      const outcome = run.finished ?? (await this.#attempts.make(run, worker));
      // Nothing is awaited from here on, so that of backends which are given up together the last one knows it.
      if (isLeft(outcome)) return this.#giveBack(run, worker, outcome);
      this.#outcomes.record(run, outcome instanceof IbatchError ? this.#settle(run, outcome, worker) : outcome, worker);
      const { reason } = worker.losses;
      if (reason !== undefined && this.#pool.hasOthers && this.#outcomes.stoppedBy === undefined)
        this.#giveUp(worker, reason);
      return false;
    } finally {
      this.#pool.end();
      if (this.#isNoneLeft) this.#over.abort();
    }
  }

  /** What was begun, and lost its backend, says so. */
  #refuseWhenStopped(run: PlannedRun): void {
    if (!this.#experiment.signal.aborted) return;
    const interrupted = new Interrupted();
    if (run.record.started) recordInterrupted(run, interrupted);
    throw interrupted;
  }

  /** As failed. What nobody could do speaks against none of them. */
  #settle(run: PlannedRun, error: IbatchError, worker: Worker): Ended {
    const ended = this.#outcomes.settle(run, error, worker);
    const back = isMachinesOwn(error) ? this.#pool.forgive(run) : [];
    for (const { backends } of back) {
      this.#note(`${backends.name} takes runs again: no other one could do what it could not`);
    }
    return ended;
  }

  /** The run is the next one, and others may take it. Returns whether the worker is without its backend. */
  #giveBack(run: PlannedRun, worker: Worker, left: Left): boolean {
    this.#queue.giveBack(run);
    worker.left(left);
    this.#standard.forget(worker.backends);
    if (run.record.started) this.#experiment.audience.observer.runLeft?.(run.place);
    if (this.#pool.hasOthers) return this.#leaveToOthers(run, worker, left);
    return left.why === "lost"; // the others left meanwhile, and it is done as by one backend
  }

  #leaveToOthers(run: PlannedRun, worker: Worker, left: Left): boolean {
    const { why, error } = left;
    if (why === "other") return false;
    if (why === "away" && worker.isWaitedFor(error)) return true;
    const enough = why === "lost" || why === "lack" ? this.#whyEnough(run, worker, left) : error;
    if (enough !== undefined) this.#giveUp(worker, enough);
    return why === "lost";
  }

  /** Why a backend that lost a run, or lacks something for it, takes none any more. */
  #whyEnough(run: PlannedRun, worker: Worker, { why, error }: Left): IbatchError | undefined {
    const { losses, backends } = worker;
    if (why === "lost") {
      losses.lose(run, { gotOn: this.#gotOn(run) });
    } else if (this.#pool.isForOthers(run, worker)) {
      losses.lack(run);
      this.#note(`${runText(run.place)}: left to others than ${backends.name}: ${error.message}`);
      forgetUnsaved(run, this.#found.kept);
    } else return error;
    return losses.tooMany(run, error, this.#queue.waiting);
  }

  #gotOn(run: PlannedRun): boolean {
    const before = this.#steps.get(run) ?? 0;
    const [now = 0] = run.record.checkpoints.steps;
    this.#steps.set(run, now);
    return now > before;
  }

  async #recover(worker: Worker): Promise<void> {
    const why = await worker.recover();
    if (why !== undefined) this.#giveUp(worker, why);
  }

  /** Others do what is left; the last one has it fail. */
  #giveUp(worker: Worker, { message }: IbatchError): void {
    const { name } = worker.backends;
    this.#note(`${name} is given up, and others do what is left: ${message}`);
    this.#standard.forget(worker.backends);
    this.#pool.giveUp(worker, `${name} was given up: ${message}`);
  }

  /** Of one that was given up: whether what it could not do turns out to be the runs' own fault while some are left. */
  async #isTakenBack(worker: Worker): Promise<boolean> {
    while (this.#pool.isGivenUp(worker) && !this.#over.signal.aborted) await this.#pool.change();
    return this.#pool.takes(worker);
  }

  readonly #note = (line: string): void => this.#experiment.audience.note(line);
}
