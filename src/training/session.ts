/** A run's session at the backend: plans out, measurements back. */

import type { BackendClient } from "../backend/client.js";
import { BackendError, BackendLost } from "../backend/errors.js";
import type { FieldsOf, MessageArrays, Norm, WorkRequest } from "../backend/messages.js";
import { Interrupted, unlessInterrupted } from "../errors.js";
import type { ExtraSignal } from "../orders/contract.js";
import type { FileInParts } from "../record/file-in-parts.js";
import { sha256 } from "../record/hash.js";
import type { WorkSeconds } from "./clock.js";
import { batchesOf, type Chunk } from "./plan.js";
import { ALWAYS_ASKED, type SampleSignals } from "./sample-signals.js";
import { checkGathered, checkShape, present, readClassNames } from "./session-answers.js";

/** What a run needs of a backend. */
export type WorkClient = Pick<BackendClient, "introduction" | "work" | "control" | "keepAlive" | "fail">;

/** Most of a saved state that goes into a message. */
const STATE_PART_BYTES = 64 * 1024 * 1024;

/** What is under way ends at a batch, which may take a while; a backend that does not even then is given up. */
const CLOSE_SECONDS = 30;
/** The same once the user has stopped it: nobody waits for what it gives. */
const CLOSE_SECONDS_INTERRUPTED = 2;

/** What a chunk's training passes gave, in the order of its indices. */
export interface TrainedOn {
  readonly chunk: Chunk;
  readonly signals: SampleSignals;
  /** It was cancelled: these are the batches that were done, and there is no other one behind it. */
  readonly isStopped: boolean;
}

/** A model's floating state in the order of its state dict, each tensor row-major. */
export interface Weights {
  /** Batches trained on before. */
  readonly step: number;
  readonly tensors: FieldsOf<"weights_ok">["tensors"];
  readonly values: Float32Array;
}

/** A part of the backend's state. */
export interface SavedPart {
  readonly step: number;
  /** How many there are. */
  readonly parts: number;
  /** What a person should know of what is not in it. */
  readonly notices: readonly string[];
  readonly bytes: Uint8Array;
}

/** How a plan is trained on, beside what it says. */
export interface TrainOptions {
  /** Samples that are put through the model at a time; null: whole batches. */
  readonly microBatch: number | null;
  /** Signals that are wanted beside loss and correct. */
  readonly extras: readonly ExtraSignal[];
}

/** Samples to look at. */
export interface Evaluation {
  readonly part: "train" | "test";
  readonly indices: Uint32Array;
  readonly batchSize: number;
  /** What BatchNorm normalises with meanwhile. */
  readonly norm: Norm;
  /** Training samples, shuffled, that statistics are re-estimated on; only for `norm: reestimated`. */
  readonly calibration?: Uint32Array | undefined;
}

export { Interrupted };

/** What the backend says of what it opened. */
export interface Opened extends FieldsOf<"open_ok"> {
  /** The name of class 0, 1, … */
  readonly classNames: string[];
}

export class Session {
  readonly opened: Opened;
  readonly labels: Uint32Array;
  readonly testLabels: Uint32Array;
  /** Since `takeSeconds`. */
  #seconds: WorkSeconds = { training: 0, scoring: 0, evaluating: 0 };
  #cancelled = false;
  /** Batches that were trained on, as far as it is known. */
  #step = 0;
  /** Another one once a state was loaded. */
  #id: string;
  readonly #client: WorkClient;
  /** Nothing new is begun. */
  readonly #stop: AbortSignal;
  /** Nothing is waited for. */
  readonly #giveUp: AbortSignal;
  readonly #closed = new AbortController();

  private constructor(client: WorkClient, opened: Opened, arrays: MessageArrays<"open_ok">, { stop, grace }: Stopping) {
    this.#client = client;
    this.opened = opened;
    this.#id = opened.session;
    this.labels = arrays.labels;
    this.testLabels = arrays.testLabels;
    const { signal: closed } = this.#closed;
    this.#stop = stop;
    this.#giveUp = grace === 0 ? stop : after(stop, grace, closed);
    client.keepAlive(opened.session);
    stop.addEventListener("abort", this.#cancel, { signal: closed });
  }

  /** Aborts when nothing of it is waited for any more. */
  get givenUp(): AbortSignal {
    return this.#giveUp;
  }

  /**
   * @param note gets what the backend has to say of it to a person.
   * @param graceSeconds that are waited, after the signal, for what is under way to end at a batch; the signal cancels it.
   * @throws Interrupted as soon as the signal says so: opening loads data, and cannot be cancelled.
   */
  static async open(
    client: WorkClient,
    request: FieldsOf<"open">,
    signal: AbortSignal,
    note: (line: string) => void,
    graceSeconds = 0,
  ): Promise<Session> {
    if (signal.aborted) throw new Interrupted();
    const { fields, arrays } = await unlessInterrupted(signal, client.work("open", request, {})).catch(
      (error: unknown) => {
        throw lostWhereGone(error, `opening dataset ${request.dataset.name} and model ${request.model.name}`);
      },
    );
    const session = new Session(client, { ...fields, classNames: readClassNames(arrays.classNames) }, arrays, {
      stop: signal,
      grace: graceSeconds,
    });
    for (const notice of fields.notices) note(notice);
    return session;
  }

  /**
   * Trains on some batches, behind what was asked for before.
   * @throws Interrupted, BackendError, BackendLost.
   */
  async train(chunk: Chunk, { microBatch, extras }: TrainOptions): Promise<TrainedOn> {
    if (this.#stop.aborted) throw new Interrupted();
    const { firstStep, ...arrays } = chunk;
    const { indices, offsets, learningRates, weights } = arrays;
    const steps = learningRates.length;
    const underWay = `training, steps ${firstStep} to ${firstStep + steps - 1}`;
    const answer = await this.#ask(
      underWay,
      "train",
      {
        session: this.#id,
        firstStep,
        sha256: sha256(indices, offsets, learningRates, weights),
        signals: [...ALWAYS_ASKED, ...extras],
        microBatch,
      },
      arrays,
    );
    this.#seconds.training += answer.fields.seconds;
    const { batchesDone, indicesSha256 } = answer.fields;
    const isStopped = batchesDone < steps;
    if (isStopped && (batchesDone === 0 || !this.#cancelled)) throw this.#stopped(underWay);
    this.#step = firstStep + batchesDone;
    const done = isStopped ? { firstStep, ...batchesOf(chunk, 0, batchesDone) } : chunk;
    checkGathered(indicesSha256, done.indices);
    return { chunk: done, signals: present(answer.arrays, extras), isStopped };
  }

  /** The signals of these training samples, in evaluation mode: nothing in the model changes. */
  async score(indices: Uint32Array, batchSize: number, extras: readonly ExtraSignal[]): Promise<SampleSignals> {
    if (this.#stop.aborted) throw new Interrupted();
    const { fields, arrays } = await this.#ask(
      this.#after("scoring"),
      "score",
      { session: this.#id, signals: [...ALWAYS_ASKED, ...extras], batchSize },
      { indices },
    );
    if (this.#stop.aborted) throw new Interrupted();
    this.#seconds.scoring += fields.seconds;
    checkGathered(fields.indicesSha256, indices);
    return present(arrays, extras);
  }

  /** What the model, in evaluation mode, says of these samples. */
  async evaluate({ part, indices, batchSize, norm, calibration }: Evaluation): Promise<SampleSignals> {
    if (this.#stop.aborted) throw new Interrupted();
    const { fields, arrays } = await this.#ask(
      this.#after("evaluating"),
      "evaluate",
      { session: this.#id, part, norm, signals: [...ALWAYS_ASKED], batchSize },
      { indices, ...(calibration && { calibration }) },
    );
    if (this.#stop.aborted) throw new Interrupted();
    this.#seconds.evaluating += fields.seconds;
    checkGathered(fields.indicesSha256, indices);
    return present(arrays, []);
  }

  /** All floating parameters and buffers, one after another. */
  async weights(): Promise<Weights> {
    if (this.#stop.aborted) throw new Interrupted();
    const { fields, arrays } = await this.#ask(this.#after("reading weights"), "weights", { session: this.#id }, {});
    return { step: fields.step, tensors: fields.tensors, values: arrays.values };
  }

  /**
   * The first part of the backend's state as it is behind what was asked for before; the rest is asked for with
   * `savedPart`, however far the session went on. `step`: batches trained on by then.
   */
  save(step: number): Promise<SavedPart> {
    return this.savedPart(step, 0);
  }

  async savedPart(step: number, part: number): Promise<SavedPart> {
    if (this.#giveUp.aborted) throw new Interrupted();
    const asked = { session: this.#id, step, part };
    const { fields, arrays } = await this.#ask(`saving step ${step}`, "save", asked, {});
    const { parts, notices } = fields;
    const { bytes } = arrays;
    const seen = sha256(bytes);
    if (seen !== fields.sha256) {
      throw new BackendError(
        "hash_mismatch",
        `part ${part} of the saved state hashes to ${seen}, not ${fields.sha256}`,
      );
    }
    return { step, parts, notices, bytes };
  }

  /** Puts a saved state in place of the one that the session was opened with. @throws Unreadable, and as `train`. */
  async load(step: number, state: FileInParts): Promise<void> {
    const parts = Math.max(1, Math.ceil(state.bytes / STATE_PART_BYTES));
    let session = this.#id;
    let part = 0;
    for (const bytes of state.parts(STATE_PART_BYTES)) {
      if (this.#stop.aborted) throw new Interrupted();
      const asked = { session: this.#id, step, part, parts, sha256: sha256(bytes) };
      session = (await this.#ask(`loading step ${step}`, "load", asked, { bytes })).fields.session;
      part += 1;
    }
    this.#id = session;
    this.#step = step;
    this.#client.keepAlive(session);
  }

  /** Pixels of these samples of a part as the dataset stores them, u8 [m, H, W, C] in row-major order. */
  async images(part: "train" | "test", indices: Uint32Array): Promise<Uint8Array> {
    if (this.#stop.aborted) throw new Interrupted();
    const { fields, arrays } = await this.#ask(
      this.#after("reading images"),
      "images",
      { session: this.#id, part },
      { indices },
    );
    if (this.#stop.aborted) throw new Interrupted();
    checkGathered(fields.indicesSha256, indices);
    const [channels, height, width] = this.opened.inputShape;
    checkShape(arrays.images.shape, [indices.length, height, width, channels]);
    return arrays.images.values;
  }

  /** Nobody waits for the answer any more once the signal came: a user's code may never give one. */
  async #ask<T extends Exclude<WorkRequest, "open" | "close">>(
    underWay: string,
    type: T,
    fields: FieldsOf<T>,
    arrays: MessageArrays<T>,
  ) {
    try {
      return await unlessInterrupted(this.#giveUp, this.#client.work(type, fields, arrays));
    } catch (error) {
      const cancelled = error instanceof BackendError && error.code === "cancelled";
      throw cancelled ? this.#stopped(underWay) : lostWhereGone(error, underWay);
    }
  }

  readonly #after = (doing: string): string => `${doing} after step ${this.#step}`;

  /** Why work ended before its end. */
  #stopped(underWay: string): Interrupted | BackendLost {
    if (this.#cancelled) return new Interrupted();
    const how = "the backend stopped the work, though not asked to from here: somebody else cancelled it, or ends it";
    return new BackendLost(how, [], underWay);
  }

  /** Seconds that the backend spent since this was last asked. */
  takeSeconds(): WorkSeconds {
    const taken = this.#seconds;
    this.#seconds = { training: 0, scoring: 0, evaluating: 0 };
    return taken;
  }

  /**
   * Lets the backend forget the session; one that is gone has forgotten it already. Gives it up where it does not answer.
   * Once only: a second call does nothing.
   */
  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    this.#client.keepAlive(null);
    const seconds = this.#stop.aborted ? CLOSE_SECONDS_INTERRUPTED : CLOSE_SECONDS;
    const late = () => this.#client.fail(new BackendLost(`the backend did not close its session in ${seconds} s`));
    const timer = setTimeout(late, seconds * 1000);
    try {
      await this.#client.work("close", { session: this.#id }, {});
    } catch (error) {
      const forgotten = error instanceof BackendError && error.code === "unknown_session";
      if (!forgotten && !(lostWhereGone(error, "closing") instanceof BackendLost)) throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Stops what is under way at the next batch, as when the user stops the experiment. */
  readonly #cancel = (): void => {
    this.cancel();
  };

  cancel(): void {
    this.#cancelled = true;
    this.#client.control("cancel", { session: this.#id }).catch(() => {}); // work in flight tells it
  }
}

interface Stopping {
  readonly stop: AbortSignal;
  /** Seconds from its signal until nothing is waited for. */
  readonly grace: number;
}

/** Aborts so many seconds after a signal does, unless the session was closed before that came. */
function after(signal: AbortSignal, seconds: number, closed: AbortSignal): AbortSignal {
  const late = new AbortController();
  const wait = () => setTimeout(() => late.abort(), 1000 * seconds).unref();
  signal.addEventListener("abort", wait, { once: true, signal: closed });
  return late.signal;
}

/** A backend that is gone or going, with what it was asked for; any other error as it is. */
function lostWhereGone(error: unknown, underWay: string): unknown {
  if (error instanceof BackendLost) return error.during(underWay);
  if (!(error instanceof BackendError) || error.code !== "shutting_down") return error;
  return new BackendLost(`the backend ends, though not asked to from here: ${error.message}`, [], underWay);
}
