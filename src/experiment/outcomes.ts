/** How runs ended, on record and for who asked for them, and what ends the rest of them. */
import { BackendError } from "../backend/errors.js";
import type { IbatchError } from "../errors.js";
import type { RunDocument } from "../record/run-document.js";
import type { ExperimentInputs } from "./experiment-inputs.js";
import type { KeptRuns } from "./kept-runs.js";
import type { Losses } from "./losses.js";
import type { PlannedRun } from "./plan-runs.js";
import { madeIn } from "./recorded.js";
import { begun, type Ended, failed, isEveryRuns, isThisRunsAlone, onRecord } from "./run-and-record.js";
import { clearEnded } from "./run-end.js";
import type { RunResult } from "./run-result.js";
import type { Worker } from "./worker.js";
import type { WorkerPool } from "./worker-pool.js";

/** What runs are done with, and beside. */
interface Around {
  readonly pool: WorkerPool;
  readonly kept: KeptRuns;
}

export class Outcomes {
  readonly #experiment: ExperimentInputs;
  readonly #runs: readonly PlannedRun[];
  readonly #around: Around;
  readonly #results = new Map<PlannedRun, RunResult>();
  #stoppedBy: IbatchError | undefined;

  constructor(experiment: ExperimentInputs, runs: readonly PlannedRun[], around: Around) {
    this.#experiment = experiment;
    this.#runs = runs;
    this.#around = around;
  }

  /** In the sequence of the runs. */
  get results(): RunResult[] {
    return this.#runs.flatMap((run) => this.#results.get(run) ?? []);
  }

  /** What was missing from some run on. */
  get stoppedBy(): IbatchError | undefined {
    return this.#stoppedBy;
  }

  get hasBegun(): boolean {
    return this.#runs.some(({ record }) => record.started);
  }

  /** A run as failed. @throws what ends the command. */
  settle(run: PlannedRun, error: IbatchError, { losses }: Worker): Ended {
    this.#judge(error, losses);
    return failed(begun(run), error);
  }

  record(run: PlannedRun, { document, metrics, lost }: Ended, worker: Worker): void {
    const { losses } = worker;
    const { arm, seed, state, error, divergedAtStep } = document;
    const isKept = run.finished !== undefined;
    if (isKept) clearEnded(this.#experiment, run, document);
    const last = metrics.at(-1);
    this.#experiment.audience.observer.runEnded?.(run.place, { state, kept: isKept, error, divergedAtStep, last });
    this.#results.set(run, { arm, seed, state, error, divergedAtStep, metrics });
    if (isKept) return;
    losses.count(run, lost);
    worker.ended();
    this.#keepEnded(run, document, losses);
    this.#around.kept.release(run.place, document);
  }

  /** @throws what ends the command: no run has begun yet, or it is nothing that a run may meet. */
  #judge(error: unknown, losses: Losses): void {
    const { hasOthers, taking } = this.#around.pool;
    if (isEveryRuns(error) && (hasOthers || this.hasBegun)) {
      const isOurs = !(error instanceof BackendError); // a full disk, say: others would not fare better
      for (const stopped of isOurs ? taking.map((worker) => worker.losses) : [losses]) stopped.stop(error);
      if (isOurs || !hasOthers) this.#stoppedBy = error;
    } else if (!isThisRunsAlone(error)) throw error;
  }

  /** What the next runs are made beside from now on, whatever ended this one: where that cannot be seen, none is made. */
  #keepEnded(run: PlannedRun, document: RunDocument, losses: Losses): void {
    if (losses.refusal !== undefined) return;
    const { directory } = run.record;
    try {
      const made = madeIn({ ...run.place, directory }, onRecord(run, document), this.#experiment.config);
      this.#around.kept.keep(directory, made);
    } catch (error) {
      this.#judge(error, losses);
    }
  }
}
