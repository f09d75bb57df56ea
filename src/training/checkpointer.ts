/** Takes a run's checkpoints: when one is due, what goes into it, and the writing of it while the run goes on. */
import { BackendError } from "../backend/errors.js";
import type { RunConfig } from "../config/run-config.js";
import { asError, IbatchError, unlessInterrupted } from "../errors.js";
import type { CheckpointOf, RunOf } from "../record/checkpoint.js";
import type { RunRecord } from "../record/run-record.js";
import { toSafetensors } from "../record/safetensors.js";
import { CannotWrite } from "../record/write-file.js";
import { secondsSince } from "./clock.js";
import { canGoOnFrom, type RunState, splitState } from "./run-state.js";
import type { SavedPart, Session } from "./session.js";
import type { Boundary } from "./train-chunks.js";

export interface CheckpointerInputs {
  /** When checkpoints are taken, and how many are kept. */
  readonly checkpoint: NonNullable<RunConfig["checkpoint"]>;
  readonly session: Session;
  readonly record: RunRecord;
  readonly run: RunOf & Pick<CheckpointOf, "ibatchVersion">;
  /** A line for a person, and for the experiment's log. */
  note(line: string): void;
  /** A line for the experiment's log, and one for a person, too: about this run. */
  logOfRun(line: string): void;
  noteOfRun(line: string): void;
}

/** Checkpoints that wait to be written: more than these would pile up where the disk is slower than the run. */
const MOST_WAITING = 2;

export class Checkpointer implements Boundary {
  readonly #inputs: CheckpointerInputs;
  /** Of the newest one; undefined: another one is wanted of that step, too. */
  #lastStep: number | undefined;
  /** Whether that is of an epoch under way. */
  #isUnderWay: boolean;
  /** The disk refused the last one: a person was told of the first of them. */
  #isRefused = false;
  /** Why the newest one could not be written. */
  #failure: IbatchError | undefined;
  #lastAt = performance.now();
  /** All that is being written, one after another. */
  #writing: Promise<void> = Promise.resolve();
  #waiting = 0;
  /** Step of the state that is being fetched: the backend keeps its parts until another one is asked for. */
  #fetching: number | undefined;
  /** The answer to the last save; it never rejects. */
  #asked: Promise<unknown> = Promise.resolve();
  /** The model cannot be saved. */
  #isImpossible = false;

  /** `state`: at which the run begins, or goes on. */
  constructor(inputs: CheckpointerInputs, { step, underWay }: Pick<RunState, "step" | "underWay">) {
    this.#inputs = inputs;
    this.#lastStep = step;
    this.#isUnderWay = underWay !== null;
  }

  batchesUntilNext(step: number): number {
    const { everyBatches } = this.#inputs.checkpoint;
    return everyBatches === null ? Number.POSITIVE_INFINITY : everyBatches - (step % everyBatches);
  }

  ask(step: number): Promise<(state: RunState) => void> | undefined {
    const { everyBatches, everySeconds } = this.#inputs.checkpoint;
    const isDue =
      (everyBatches !== null && step % everyBatches === 0) ||
      (everySeconds !== null && secondsSince(this.#lastAt) >= everySeconds);
    return isDue ? this.#save(step) : undefined;
  }

  /** Between two epochs, when nothing is under way. */
  async epochEnded(state: RunState): Promise<void> {
    const { everyEpochs, leastSeconds } = this.#inputs.checkpoint;
    if (everyEpochs === null || state.epoch % everyEpochs !== 0 || secondsSince(this.#lastAt) < leastSeconds) return;
    (await this.#save(state.step))?.(state);
  }

  /**
   * The run was stopped: where the backend can still save, it goes on from here. Never throws, and waits for neither
   * backend nor disk once the session is given up.
   */
  async stopped(state: RunState): Promise<void> {
    try {
      if (!canGoOnFrom(state)) throw new Error("the order was still deciding on a batch");
      await unlessInterrupted(this.#inputs.session.givenUp, this.#saveLast(state));
    } catch (error) {
      this.#inputs.logOfRun(`no checkpoint at step ${state.step}: ${asError(error).message}`);
    }
  }

  async #saveLast(state: RunState): Promise<void> {
    await this.#asked; // behind a chunk that was cancelled: nobody takes it
    await this.written();
    this.#fetching = undefined;
    (await this.#save(state.step))?.(state);
    await this.written();
  }

  /**
   * The run is over, and has not diverged. With `final`, a checkpoint is of its end: returns the step, undefined where
   * the model cannot be saved.
   * @throws IbatchError where the disk refuses: the same command goes on with it.
   */
  async ended(state: RunState): Promise<number | undefined> {
    const { checkpoint, record } = this.#inputs;
    await this.written();
    if (!checkpoint.final) return undefined;
    if (this.#isUnderWay) this.#lastStep = undefined; // of the same step, before the epoch was evaluated
    (await this.#save(state.step))?.(state);
    await this.written();
    if (this.#failure !== undefined) throw this.#failure;
    return record.checkpoints.steps.find((step) => step === state.step);
  }

  /** Resolves when what was taken is on disk. */
  async written(): Promise<void> {
    await this.#writing;
  }

  #save(step: number): Promise<(state: RunState) => void> | undefined {
    if (step === this.#lastStep || this.#fetching !== undefined || this.#waiting >= MOST_WAITING || this.#isImpossible)
      return;
    this.#lastAt = performance.now();
    this.#fetching = step;
    const answer = this.#inputs.session.save(step).then(
      (first) => (state: RunState) => this.#take(state, first),
      (error: unknown) => {
        this.#fetching = undefined;
        this.#goOnWithout(step, error);
        return () => {};
      },
    );
    this.#asked = answer.catch(() => {});
    return answer;
  }

  /** @throws what does not concern saving alone. */
  #goOnWithout(step: number, error: unknown): void {
    if (!(error instanceof BackendError)) throw error;
    if (error.code === "bad_reference") {
      this.#isImpossible = true;
      this.#inputs.note(`no checkpoints: ${error.message}`);
    } else if (error.code === "out_of_memory") {
      this.#inputs.logOfRun(`no checkpoint at step ${step}: ${error.message}`);
    } else throw error;
  }

  /** What the state is now is what is written, however far the run goes on. */
  #take(state: RunState, first: SavedPart): void {
    const { record, run, note } = this.#inputs;
    this.#lastStep = state.step;
    this.#isUnderWay = state.underWay !== null;
    this.#failure = undefined;
    for (const notice of first.notices) note(notice);
    const { numbers, arrays } = splitState(state);
    const of: CheckpointOf = { ...run, step: state.step, record: record.options, records: record.lengths };
    const saved = { numbers, arrays: toSafetensors(arrays), backend: this.#parts(first) };
    this.#waiting += 1;
    this.#writing = this.#writing
      .then(() => this.#write(of, saved))
      .then(() => {
        this.#isRefused = false;
      })
      .catch((error: unknown) => {
        if (!(error instanceof IbatchError)) throw error;
        this.#refused(of.step, error);
      })
      .finally(() => {
        this.#waiting -= 1;
        if (this.#fetching === of.step) this.#fetching = undefined;
      });
    this.#writing.catch(() => {}); // thrown by `written`
  }

  #refused(step: number, error: IbatchError): void {
    const { logOfRun, noteOfRun } = this.#inputs;
    this.#failure = error;
    if (this.#lastStep === step) this.#lastStep = undefined;
    const why = error instanceof CannotWrite ? error.what : error.message;
    const tell = this.#isRefused ? logOfRun : noteOfRun;
    tell(`goes on without a checkpoint at step ${step}: ${why}`);
    this.#isRefused = true;
  }

  async #write(of: CheckpointOf, saved: Parameters<RunRecord["checkpoints"]["write"]>[1]): Promise<void> {
    const { checkpoints } = this.#inputs.record;
    await checkpoints.write(of, saved);
    checkpoints.keepNewest(this.#inputs.checkpoint.keep);
  }

  async *#parts(first: SavedPart): AsyncGenerator<Uint8Array> {
    yield first.bytes;
    for (let part = 1; part < first.parts; part++) {
      yield (await this.#inputs.session.savedPart(first.step, part)).bytes;
    }
    this.#fetching = undefined;
  }
}
