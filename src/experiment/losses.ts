/** What speaks against a backend: runs in a row that it lost or could not do, or something that is missing. */
import type { BackendLost } from "../backend/errors.js";
import { IbatchError } from "../errors.js";
import { hashValue } from "../record/hash.js";
import { NOT_TRIED } from "../record/run-document.js";
import { openRequest } from "../training/open-request.js";
import type { RunPlace } from "./observer.js";
import type { PlannedRun } from "./plan-runs.js";

const RUNS_IN_A_ROW = 3;
/** So often may a run lose this backend, where others could take it. */
const LOSSES_OF_A_RUN = 2;

/** What no other run would fare better with: runs in a row that lost their backend, or something that is missing. */
export class Losses {
  #inARow = 0;
  #reason: IbatchError | undefined;
  /**
   * Runs in a row that did not get on here, and went to others, each with what that speaks against: where something was
   * lacking, the combination that it is of, for others of it lack the same.
   */
  readonly #setbacks = new Map<PlannedRun, unknown>();
  /** How often a run lost this backend. */
  readonly #lost = new Map<PlannedRun, number>();
  readonly #refused = new Set<PlannedRun>();
  #absences = 0;

  /** What no other run would fare better with, once that is so. */
  get reason(): IbatchError | undefined {
    return this.#reason;
  }

  /** Why no other run is tried, once that is so. */
  get refusal(): IbatchError | undefined {
    return this.#reason && new IbatchError("run", `${NOT_TRIED}${this.#reason.message}`);
  }

  stop(missing: IbatchError): void {
    this.#reason = missing;
  }

  /** A run ended here. */
  count({ place }: PlannedRun, lost: BackendLost | undefined): void {
    this.#inARow = lost === undefined ? 0 : this.#inARow + 1;
    if (lost === undefined) {
      this.#setbacks.clear();
      this.#absences = 0;
    } else if (this.#inARow >= RUNS_IN_A_ROW) {
      const said = `${RUNS_IN_A_ROW} runs in a row lost their backend (the last one: ${placeText(place)})`;
      this.#reason = new IbatchError("run", said);
    }
  }

  /** It was not to be had for a run. */
  miss(): void {
    this.#absences += 1;
  }

  /** Which try it is to have it back, by what came before in a row. */
  get attempt(): number {
    return Math.max(1, this.#setbacks.size, this.#absences);
  }

  /** A run lost this backend, and goes on at another one. `gotOn`: with more of it done. */
  lose(run: PlannedRun, { gotOn }: { readonly gotOn: boolean }): void {
    this.#lost.set(run, (this.#lost.get(run) ?? 0) + 1);
    if (gotOn) this.#setbacks.clear();
    else this.#setbacks.set(run, run);
  }

  /** This machine lacks what a run needs, as it seems. */
  lack(run: PlannedRun): void {
    this.#refused.add(run);
    this.#setbacks.set(run, combinationOf(run));
  }

  /** It was the run's own fault: no other backend did it either. Returns whether there were too many until now. */
  forgive(run: PlannedRun): boolean {
    const before = this.#setbacks.size;
    const combination = combinationOf(run);
    for (const [one, what] of this.#setbacks) if (what === combination) this.#setbacks.delete(one);
    return before >= RUNS_IN_A_ROW && this.#setbacks.size < RUNS_IN_A_ROW && this.#reason === undefined;
  }

  /** Whether another run of its combination lacked something here just before: the others are tried first. */
  shuns(run: PlannedRun): boolean {
    return this.#setbacks.size > 0 && this.#combinations.has(combinationOf(run));
  }

  /**
   * Why others are to take all runs: too many did not get on, of as many combinations, or of all that there are. `last`: why
   * the last one did not. `waiting`: runs that could be tried instead.
   */
  tooMany({ place }: PlannedRun, last: IbatchError, waiting: readonly PlannedRun[]): IbatchError | undefined {
    const isBigger = this.#combinations.size < RUNS_IN_A_ROW && waiting.some((run) => !this.shuns(run));
    if (this.#setbacks.size < RUNS_IN_A_ROW || isBigger) return undefined;
    const said = `${RUNS_IN_A_ROW} runs in a row did not get on there (the last one: ${placeText(place)}: ${last.message})`;
    return new IbatchError("surroundings", said);
  }

  get #combinations(): ReadonlySet<unknown> {
    return new Set(this.#setbacks.values());
  }

  /** Whether the run is to be done elsewhere, where that can be. */
  avoids(run: PlannedRun): boolean {
    return this.#refused.has(run) || (this.#lost.get(run) ?? 0) >= LOSSES_OF_A_RUN;
  }
}

const placeText = ({ arm, seed }: RunPlace): string => `arm ${arm}, seed ${seed}`;

/** Runs of one need the same of a machine: what they open, and how many samples at a time. */
function combinationOf({ config }: PlannedRun): string {
  const { batching, microBatch } = config;
  return hashValue({ opened: openRequest({ config, seed: 0, dataDir: null }), batching, microBatch });
}
