/** A run at one backend of several: how it ended there, or why it is left to others. */
import { IbatchError } from "../errors.js";
import type { ExperimentInputs } from "./experiment-inputs.js";
import type { KeptRuns } from "./kept-runs.js";
import type { PlannedRun } from "./plan-runs.js";
import type { Preflight } from "./preflight.js";
import { Unfit } from "./run.js";
import { begun, type Ended, failed, isEveryRuns, LeftToOthers, runAndRecord } from "./run-and-record.js";
import { isBusy, isMachinesOwn, isOtherwise } from "./whose-fault.js";
import type { Left, Worker } from "./worker.js";
import type { WorkerPool } from "./worker-pool.js";

/** What was found before the first run begins. */
export interface Found {
  readonly kept: KeptRuns;
  readonly tried: Preflight;
}

export class Attempts {
  readonly #experiment: ExperimentInputs;
  readonly #found: Found;
  readonly #pool: WorkerPool;
  readonly #restarts = new Map<PlannedRun, { used: number }>();

  constructor(experiment: ExperimentInputs, found: Found, pool: WorkerPool) {
    this.#experiment = experiment;
    this.#found = found;
    this.#pool = pool;
  }

  /** How it ended, or what came in its way. */
  async make(run: PlannedRun, worker: Worker): Promise<Ended | IbatchError | Left> {
    const { backends, losses } = worker;
    const { kept, tried } = this.#found;
    const { arm } = run.place;
    const refusal = this.#experiment.refused?.get(arm) ?? tried.refusal(arm) ?? losses.refusal;
    if (refusal !== undefined) return failed(begun(run), refusal);
    const absence = this.#pool.hasOthers ? await worker.absence() : undefined;
    if (absence !== undefined) return absence;
    this.#pool.doesRuns(worker);
    try {
      const restarts = this.#restartsOf(run);
      const hasOthers = () => this.#pool.hasOthers;
      const atWork = () => this.#pool.atWork;
      return await runAndRecord(this.#experiment, begun(run), { backends, kept, restarts, atWork, hasOthers });
    } catch (error) {
      if (error instanceof LeftToOthers) return { why: error.why, error: error.error };
      if (!(error instanceof IbatchError)) throw error;
      const why = this.#whyLeft(error, run, worker);
      if (why !== undefined) return { why, error };
      if (!(error instanceof Unfit)) return error;
      await tried.tryAll(backends, (other) => this.#pool.mayOthers(other, worker)); // ends it where no arm fits, and no run has begun
      return failed(begun(run), error);
    }
  }

  /** Where others may fare better; one that nobody has room for failed by itself. */
  #whyLeft(error: IbatchError, run: PlannedRun, worker: Worker): Left["why"] | undefined {
    if (!this.#pool.hasOthers) return undefined;
    if (isOtherwise(error)) return "unfit";
    if (isBusy(error)) return "away";
    return isMachinesOwn(error) && (isEveryRuns(error) || this.#pool.isForOthers(run, worker)) ? "lack" : undefined;
  }

  #restartsOf(run: PlannedRun): { used: number } {
    const restarts = this.#restarts.get(run) ?? { used: 0 };
    this.#restarts.set(run, restarts);
    return restarts;
  }
}

export const isLeft = (outcome: Ended | IbatchError | Left): outcome is Left => "why" in outcome;
