/** A run's session at the backend: plans out, measurements back. */

import { BackendError } from "../backend/errors.js";
import type { Average, FieldsOf, MessageArrays, Norm, WhichWeights } from "../backend/messages.js";
import { Interrupted, unlessInterrupted } from "../errors.js";
import type { ExtraSignal } from "../orders/contract.js";
import type { FileInParts } from "../record/file-in-parts.js";
import { sha256 } from "../record/hash.js";
import type { WorkSeconds } from "./clock.js";
import { batchesOf, type Chunk } from "./plan.js";
import { ALWAYS_ASKED, type SampleSignals } from "./sample-signals.js";
import { checkGathered, checkShape, present, readClassNames } from "./session-answers.js";
import { lostWhereGone, SessionLifetime, type WorkClient } from "./session-lifetime.js";

/** Most of a saved state that goes into a message. */
const STATE_PART_BYTES = 64 * 1024 * 1024;

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
  /** The mean that weights are counted into; null: none. */
  readonly average: Average | null;
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
  /** The last ones, where it is left out. */
  readonly weights?: WhichWeights | undefined;
  /** Training samples, shuffled, that statistics are re-estimated on; only for `norm: reestimated`. */
  readonly calibration?: Uint32Array | undefined;
}

export { Interrupted, type WorkClient };

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
  /** Batches that were trained on, as far as it is known. */
  #step = 0;
  readonly #lifetime: SessionLifetime;

  private constructor(opened: Opened, arrays: MessageArrays<"open_ok">, lifetime: SessionLifetime) {
    this.opened = opened;
    this.labels = arrays.labels;
    this.testLabels = arrays.testLabels;
    this.#lifetime = lifetime;
  }

  /** Aborts when nothing of it is waited for any more. */
  get givenUp(): AbortSignal {
    return this.#lifetime.givenUp;
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
    const opened = { ...fields, classNames: readClassNames(arrays.classNames) };
    const lifetime = new SessionLifetime(client, fields.session, { stop: signal, grace: graceSeconds });
    const session = new Session(opened, arrays, lifetime);
    for (const notice of fields.notices) note(notice);
    return session;
  }

  /** These training samples have these labels from now on in training and scoring passes, and the dataset's elsewhere. */
  async relabel(indices: Uint32Array, labels: Uint32Array): Promise<void> {
    this.#lifetime.refuseWhenStopped();
    await this.#lifetime.ask(
      "giving samples other labels",
      "relabel",
      { session: this.#lifetime.id },
      { indices, labels },
    );
  }

  /**
   * Trains on some batches, behind what was asked for before.
   * @throws Interrupted, BackendError, BackendLost.
   */
  async train(chunk: Chunk, { microBatch, average, extras }: TrainOptions): Promise<TrainedOn> {
    this.#lifetime.refuseWhenStopped();
    const { firstStep, ...arrays } = chunk;
    const { indices, offsets, learningRates, weights } = arrays;
    const steps = learningRates.length;
    const underWay = `training, steps ${firstStep} to ${firstStep + steps - 1}`;
    const answer = await this.#lifetime.ask(
      underWay,
      "train",
      {
        session: this.#lifetime.id,
        firstStep,
        sha256: sha256(indices, offsets, learningRates, weights),
        signals: [...ALWAYS_ASKED, ...extras],
        microBatch,
        average,
      },
      arrays,
    );
    this.#seconds.training += answer.fields.seconds;
    const { batchesDone, indicesSha256 } = answer.fields;
    const isStopped = batchesDone < steps;
    if (isStopped && (batchesDone === 0 || !this.#lifetime.isCancelled)) throw this.#lifetime.whyEnded(underWay);
    this.#step = firstStep + batchesDone;
    const done = isStopped ? { firstStep, ...batchesOf(chunk, 0, batchesDone) } : chunk;
    checkGathered(indicesSha256, done.indices);
    return { chunk: done, signals: present(answer.arrays, extras), isStopped };
  }

  /**
   * The signals of these training samples, in evaluation mode: nothing in the model changes. An answer that comes when
   * the run was stopped is taken: what was trained on behind it may be worth a checkpoint only with it.
   */
  async score(indices: Uint32Array, batchSize: number, extras: readonly ExtraSignal[]): Promise<SampleSignals> {
    this.#lifetime.refuseWhenStopped();
    const { fields, arrays } = await this.#lifetime.ask(
      this.#after("scoring"),
      "score",
      { session: this.#lifetime.id, signals: [...ALWAYS_ASKED, ...extras], batchSize },
      { indices },
    );
    this.#seconds.scoring += fields.seconds;
    checkGathered(fields.indicesSha256, indices);
    return present(arrays, extras);
  }

  /** What the model, in evaluation mode, says of these samples. An answer that comes when the run was stopped is taken, likewise. */
  async evaluate({
    part,
    indices,
    batchSize,
    norm,
    weights = "last",
    calibration,
  }: Evaluation): Promise<SampleSignals> {
    this.#lifetime.refuseWhenStopped();
    const { fields, arrays } = await this.#lifetime.ask(
      this.#after("evaluating"),
      "evaluate",
      { session: this.#lifetime.id, part, norm, weights, signals: [...ALWAYS_ASKED], batchSize },
      { indices, ...(calibration && { calibration }) },
    );
    this.#seconds.evaluating += fields.seconds;
    checkGathered(fields.indicesSha256, indices);
    return present(arrays, []);
  }

  /** All floating parameters and buffers, one after another. */
  async weights(): Promise<Weights> {
    this.#lifetime.refuseWhenStopped();
    const { fields, arrays } = await this.#lifetime.ask(
      this.#after("reading weights"),
      "weights",
      { session: this.#lifetime.id },
      {},
    );
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
    const asked = { session: this.#lifetime.id, step, part };
    const { fields, arrays } = await this.#lifetime.ask(`saving step ${step}`, "save", asked, {});
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
    let session = this.#lifetime.id;
    let part = 0;
    for (const bytes of state.parts(STATE_PART_BYTES)) {
      this.#lifetime.refuseWhenStopped();
      const asked = { session: this.#lifetime.id, step, part, parts, sha256: sha256(bytes) };
      session = (await this.#lifetime.ask(`loading step ${step}`, "load", asked, { bytes })).fields.session;
      part += 1;
    }
    this.#lifetime.renamed(session);
    this.#step = step;
  }

  /** Pixels of these samples of a part as the dataset stores them, u8 [m, H, W, C] in row-major order. */
  async images(part: "train" | "test", indices: Uint32Array): Promise<Uint8Array> {
    this.#lifetime.refuseWhenStopped();
    const { fields, arrays } = await this.#lifetime.ask(
      this.#after("reading images"),
      "images",
      { session: this.#lifetime.id, part },
      { indices },
    );
    this.#lifetime.refuseWhenStopped();
    checkGathered(fields.indicesSha256, indices);
    const [channels, height, width] = this.opened.inputShape;
    checkShape(arrays.images.shape, [indices.length, height, width, channels]);
    return arrays.images.values;
  }

  readonly #after = (doing: string): string => `${doing} after step ${this.#step}`;

  /** Seconds that the backend spent since this was last asked. */
  takeSeconds(): WorkSeconds {
    const taken = this.#seconds;
    this.#seconds = { training: 0, scoring: 0, evaluating: 0 };
    return taken;
  }

  /** Stops what is under way at the next batch, as when the user stops the experiment. */
  cancel(): void {
    this.#lifetime.cancel();
  }

  /**
   * Lets the backend forget the session; one that is gone has forgotten it already. Gives it up where it does not answer.
   * Once only: a second call does nothing.
   */
  close(): Promise<void> {
    return this.#lifetime.close();
  }
}
