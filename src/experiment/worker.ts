/** A backend of the pool, or another one in its place: whether it is there, and for how long it is tried to have it back. */
import { IbatchError, Interrupted } from "../errors.js";
import { pause, secondsBefore } from "./back-off.js";
import type { Backends } from "./backends.js";
import type { ExperimentInputs } from "./experiment-inputs.js";
import { Losses } from "./losses.js";
import type { PoolStandard } from "./pool-standard.js";

/** Of a backend of ours that was there before and does not start any more. */
const MOST_STARTS = 3;

/**
 * Why a run is left to others: its backend was `lost` under it, is `away` for now, has no room or no data for it, is otherwise
 * than what the other runs are made with (`unfit`), or than what sets that and is yet to make one (`other`).
 */
export interface Left {
  readonly why: "lost" | "away" | "lack" | "unfit" | "other";
  readonly error: IbatchError;
}

/** What it knows of those that work beside it. */
export interface Others {
  readonly hasOthers: boolean;
  /** Runs that are at work now. */
  readonly underWay: number;
  whenChanged(act: () => void): () => void;
}

/** What it does its runs for. */
export interface Assignment {
  readonly experiment: Pick<ExperimentInputs, "audience" | "signal"> & {
    readonly config: { readonly backend: { readonly startSeconds: number } };
  };
  readonly standard: PoolStandard;
  readonly others: Others;
  /** Aborts when no run is left. */
  readonly over: AbortSignal;
  /** Whether anything is on record of the runs. */
  hasBegun(): boolean;
}

export class Worker {
  readonly backends: Backends;
  readonly losses = new Losses();
  readonly #assignment: Assignment;
  #hadOne = false;
  /** In which this one was tried and none trained, since a run ended here. */
  #idleSeconds = 0;
  /** Why the last run was left that was. */
  #leftFor: IbatchError | undefined;
  #isHeldBack = false;

  constructor(backends: Backends, assignment: Assignment) {
    this.backends = backends;
    this.#assignment = assignment;
  }

  /** Whether it is otherwise than a backend that may still turn out to do no run. */
  get isHeldBack(): boolean {
    this.#isHeldBack &&= this.#assignment.standard.isUnproven;
    return this.#isHeldBack;
  }

  /** A run of its own ended, in whatever way. */
  ended(): void {
    this.#idleSeconds = 0;
  }

  left({ why, error }: Left): void {
    this.#leftFor = error;
    this.#isHeldBack = why === "other";
  }

  /** Why there is none that could do what others can do. */
  async absence(): Promise<Left | undefined> {
    const { standard, over } = this.#assignment;
    try {
      const { introduction } = await this.backends.get({ waits: false, over });
      this.#hadOne = true;
      const other = standard.whyOther(introduction);
      if (other === undefined) return undefined;
      return { why: standard.isUnproven ? "other" : "unfit", error: new IbatchError("usage", other) };
    } catch (error) {
      if (!(error instanceof IbatchError) || error instanceof Interrupted) throw error;
      if (error.kind !== "usage") return { why: "away", error }; // one that dies while it is greeted is none, too
      if (this.#assignment.hasBegun()) return { why: "unfit", error };
      throw error;
    }
  }

  /** Whether one that cannot be had now is waited for: one of ours that never was there is not tried again. */
  isWaitedFor({ message }: IbatchError): boolean {
    const { name, isElsewhere } = this.backends;
    this.losses.miss();
    if (!isElsewhere && !this.#hadOne) return false;
    this.#note(`${name} cannot be had now, and takes runs again once it can: ${message}`);
    return true;
  }

  /**
   * Tries to have its backend back, less and less often, while others do what is left; not for longer than these wait for it.
   * Returns why it is not tried any more, where others go on.
   */
  async recover(): Promise<IbatchError | undefined> {
    const { others, over } = this.#assignment;
    await this.backends.discard();
    for (let attempt = this.losses.attempt; others.hasOthers && !over.aborted; attempt++) {
      await this.#pause(secondsBefore(attempt));
      const absence = await this.#absenceUnlessOver();
      if (over.aborted) return undefined;
      const why = this.#whyEnough(absence, attempt);
      if (why !== undefined && others.hasOthers) return why;
      if (absence !== undefined) continue;
      this.#note(`${this.backends.name} is back`);
      return undefined;
    }
    return undefined;
  }

  async #pause(seconds: number): Promise<void> {
    const { others, over, experiment } = this.#assignment;
    const alone = new AbortController();
    const end = () => {
      if (!others.hasOthers) alone.abort();
    };
    const forget = others.whenChanged(end);
    await pause(seconds, experiment.signal, over, alone.signal).finally(forget);
    if (others.underWay === 0) this.#idleSeconds += seconds;
  }

  async #absenceUnlessOver(): Promise<Left | undefined> {
    return this.absence().catch((error: unknown) => {
      if (this.#assignment.over.aborted) return undefined;
      throw error;
    });
  }

  #whyEnough(absence: Left | undefined, attempt: number): IbatchError | undefined {
    const { isElsewhere } = this.backends;
    const isIdleForLong = isElsewhere && this.#idleSeconds >= this.#assignment.experiment.config.backend.startSeconds;
    if (absence === undefined) return isIdleForLong ? this.#leftFor : undefined; // there, and of no use: kept busy by somebody
    const isEnough = isIdleForLong || (!isElsewhere && attempt >= MOST_STARTS);
    return isEnough || absence.why === "unfit" ? absence.error : undefined;
  }

  #note(line: string): void {
    this.#assignment.experiment.audience.note(line);
  }
}
