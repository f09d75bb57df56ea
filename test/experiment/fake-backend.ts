// A backend that only pretends: it keeps the rules of docs/PROTOCOL.md (one thing after another, steps without gaps,
// cancel at a batch boundary), and makes losses up from sample and step. Whatever was asked of it can be looked at.
import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { Answer } from "../../src/backend/channel.js";
import { BackendError } from "../../src/backend/errors.js";
import type { ControlRequest, FieldsOf, MessageArrays, Signal, WorkRequest } from "../../src/backend/messages.js";
import { random } from "../../src/kernels/random.js";
import type { WorkClient } from "../../src/training/session.js";
import { catalogue } from "../config/fake-catalogue.js";

/** A work message as it arrived. */
export type Sent = {
  [T in WorkRequest]: { readonly type: T; readonly fields: FieldsOf<T>; readonly arrays: MessageArrays<T> };
}[WorkRequest];
export type SentOf<T extends WorkRequest> = Extract<Sent, { readonly type: T }>;

export interface Pretence {
  /** Training samples, `i` of class `i % classes`; 24 when left out. */
  readonly n?: number;
  readonly classes?: number;
  readonly testCount?: number;
  /** What it says of itself and of what it opens, where that is not the usual. */
  readonly introduction?: Partial<WorkClient["introduction"]>;
  readonly opened?: Partial<FieldsOf<"open_ok">>;
  /** As `opened`, of what was asked for. */
  openedFor?(asked: FieldsOf<"open">): Partial<FieldsOf<"open_ok">>;
  /** Loss of a sample at a step, for the session with this seed; `1 / (1 + index + step)` when left out. */
  loss?(index: number, step: number, seed: number): number;
  /** As `loss`, in a scoring pass; the same as in training when left out. */
  scoredLoss?(index: number, step: number, seed: number): number;
  /** Class that it predicts of a sample at a step; 0 when left out. */
  prediction?(index: number, step: number): number;
  /** Seconds that it says it spent; 0 when left out. */
  seconds?(message: Sent): number;
  /** Signals that it does not return though asked for. */
  readonly leavesOut?: readonly Signal[];
  /** Called when the message's turn has come, before it takes effect; what it throws is the answer. */
  before?(message: Sent, backend: FakeBackend): void | Promise<void>;
  /** Called when a message has taken effect, before its answer is delivered, which waits for nothing else. */
  delivers?(message: Sent): Promise<void>;
  /** Height, width and channels of the images that it sends; those of `inputShape` when left out. */
  readonly imageShape?: readonly number[];
  /** Batches of a chunk that it trains on though it was cancelled by then; none when left out. */
  readonly doneWhenCancelled?: number;
  /** In how many parts it gives its state; 1 when left out. */
  readonly saveParts?: number;
  /** What it says is not in it. */
  readonly saveNotices?: string[];
  /** Hash of the indices that it says it gathered; the right one when left out. */
  gathered?(message: Sent): string | undefined;
}

/** Answers are held back, each for as many turns as chance says, so that they come in any sequence. */
export function delayed(seed: number): Pretence {
  const numbers = random(seed, "noise", 0);
  return {
    delivers: async () => {
      for (let turns = numbers.below(40); turns > 0; turns--) await setImmediate();
    },
  };
}

/** Of what it opens. */
export const SETTINGS = {
  memoryFormat: "contiguous",
  precision: "float32",
  deterministic: true,
  fusedUpdates: false,
  recordedSteps: false,
  dropout: [],
  batchNormLayers: 0,
} satisfies FieldsOf<"open_ok">["settings"];

/** Other seeds, other weights. */
export const weightsAtStart = (seed: number): string => `${seed}`.padStart(64, "e");

type Measuring = SentOf<"train"> | SentOf<"score"> | SentOf<"evaluate">;

interface OpenSession {
  id: string;
  readonly seed: number;
  step: number;
  /** A hash of all that it was trained on, chunk by chunk or batch by batch alike: what stands for its weights. */
  trail: string;
  /** Batches that were counted into the mean of its weights. */
  averaged: number;
  cancelled: boolean;
}

export class FakeBackend implements WorkClient {
  readonly introduction: WorkClient["introduction"];
  static readonly #usual: WorkClient["introduction"] = {
    instance: "one",
    backendVersion: "0",
    versions: { python: "3", torch: "2" },
    platform: "none",
    device: "cpu",
    deviceName: "pretence",
    threads: 1,
    precisions: { float32: "", bfloat16: "slower than float32 on this CPU" },
    workEndpoint: "ipc://nowhere",
    limits: { headerBytes: 1, messageBytes: 1, frames: 1, sessions: 1 },
    catalogue,
  };
  readonly sent: Sent[] = [];
  /** Of each session that was closed, one after another: a hash of all that it was trained on. */
  readonly trails: string[] = [];
  /** Of each batch that it was trained on, one after another: its step, and a hash of all up to it. */
  readonly trajectory: { readonly step: number; readonly trail: string }[] = [];
  /** Sessions that pings keep alive, as they were named one after another. */
  readonly keptAlive: (string | null)[] = [];
  readonly cancels: string[] = [];
  /** Why it was given up, one after another. */
  readonly failures: Error[] = [];
  /** Answers that came and were nobody's. */
  dropped = 0;
  /** Most `train` messages that were under way at a time. */
  mostUnderWay = 0;
  readonly #pretence: Pretence;
  #underWay = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #giveUp: (error: Error) => void = () => {};
  readonly #givenUp = new Promise<never>((_, reject) => {
    this.#giveUp = reject;
  });
  #session: OpenSession | undefined;
  #saved: { readonly step: number; readonly bytes: Uint8Array } | undefined;
  #opened = 0;

  constructor(pretence: Pretence = {}) {
    this.#pretence = pretence;
    this.introduction = { ...FakeBackend.#usual, ...pretence.introduction };
    this.#givenUp.catch(() => {});
  }

  sentOf<T extends WorkRequest>(type: T): SentOf<T>[] {
    return this.sent.filter((message): message is SentOf<T> => message.type === type);
  }

  async work<T extends WorkRequest>(type: T, fields: FieldsOf<T>, arrays: MessageArrays<T>): Promise<Answer<T>> {
    const message = { type, fields, arrays } as unknown as Sent;
    this.sent.push(message);
    if (type === "train") this.mostUnderWay = Math.max(this.mostUnderWay, ++this.#underWay);
    const before = this.#turn;
    const answer = (async () => {
      await before.catch(() => {});
      await setImmediate();
      await this.#pretence.before?.(message, this);
      return this.#answer(message);
    })();
    this.#turn = answer;
    try {
      const delivered = answer.then(async (done) => {
        await this.#pretence.delivers?.(message);
        return done;
      });
      return (await Promise.race([delivered, this.#givenUp])) as unknown as Answer<T>;
    } finally {
      if (type === "train") this.#underWay -= 1;
    }
  }

  async control<T extends ControlRequest>(type: T, fields: FieldsOf<T>): Promise<Answer<T>> {
    if (type === "cancel") {
      const { session } = fields as FieldsOf<"cancel">;
      this.cancels.push(session);
      if (this.#session?.id === session) this.#session.cancelled = true;
      await this.#turn.catch(() => {});
      if (this.#session?.id === session) this.#session.cancelled = false;
    }
    return { fields: { working: true }, arrays: {} } as unknown as Answer<T>;
  }

  keepAlive(session: string | null): void {
    this.keptAlive.push(session);
  }

  /** Rejects what is under way, as the client does. */
  fail(error: Error): void {
    this.failures.push(error);
    this.#giveUp(error);
  }

  #answer(message: Sent): unknown {
    switch (message.type) {
      case "open":
        return this.#open(message.fields);
      case "relabel":
        this.#find(message.fields.session);
        return { fields: message.fields, arrays: {} };
      case "train":
        return this.#train(message, this.#find(message.fields.session));
      case "evaluate":
      case "score":
        return this.#measure(message, this.#find(message.fields.session));
      case "images":
        return this.#images(message, this.#find(message.fields.session));
      case "weights":
        return {
          fields: { session: message.fields.session, step: this.#find(message.fields.session).step, tensors: [] },
          arrays: { values: new Float32Array() },
        };
      case "save":
        return this.#save(message.fields, this.#find(message.fields.session));
      case "load":
        return this.#load(message, this.#find(message.fields.session));
      case "close":
        this.trails.push(this.#find(message.fields.session).trail);
        this.#find(message.fields.session);
        this.#session = undefined;
        return { fields: {}, arrays: {} };
    }
  }

  #open(asked: FieldsOf<"open">) {
    const { seed, modelSeed } = asked;
    const { n = 24, classes = 3, testCount = 6 } = this.#pretence;
    if (this.#session !== undefined) throw new BackendError("session_busy", "there is one session already");
    this.#opened += 1;
    this.#session = { id: `s${this.#opened}`, seed, step: 0, trail: "", averaged: 0, cancelled: false };
    const { instance, device, deviceName, threads, versions, platform } = this.introduction;
    const names = Array.from({ length: classes }, (_, label) => `class ${label}`);
    const labels = (count: number) => Uint32Array.from({ length: count }, (_, index) => index % classes);
    return {
      fields: {
        session: this.#session.id,
        ...{ instance, device, deviceName, threads, versions, platform },
        n,
        testCount,
        inputShape: [...INPUT_SHAPE],
        parameterCount: 10,
        dataSha256: "d".repeat(64),
        initialWeightsSha256: weightsAtStart(modelSeed ?? seed),
        settings: SETTINGS,
        leastBatchSize: 1,
        imports: [],
        code: [],
        edited: [],
        notices: [],
        ...this.#pretence.opened,
        ...this.#pretence.openedFor?.(asked),
      },
      arrays: {
        labels: labels(n),
        testLabels: labels(testCount),
        classNames: new TextEncoder().encode(JSON.stringify(names)),
      },
    };
  }

  #find(id: string): OpenSession {
    if (this.#session?.id === id) return this.#session;
    throw new BackendError("unknown_session", `session ${id} is not open`);
  }

  #train(message: SentOf<"train">, session: OpenSession) {
    const { firstStep } = message.fields;
    const { indices, offsets, learningRates } = message.arrays;
    if (firstStep !== session.step) throw new BackendError("step_gap", `expected step ${session.step}`);
    const { doneWhenCancelled = 0 } = this.#pretence;
    const batchesDone = session.cancelled ? Math.min(doneWhenCancelled, learningRates.length) : learningRates.length;
    session.step += batchesDone;
    for (let batch = 0; batch < batchesDone; batch++) {
      const of = createHash("sha256").update(`${session.trail} ${learningRates[batch]}`);
      for (const index of indices.subarray(offsets[batch], offsets[batch + 1])) of.update(` ${index}`);
      session.trail = of.digest("hex");
      this.trajectory.push({ step: firstStep + batch, trail: session.trail });
      if (firstStep + batch >= (message.fields.average?.fromStep ?? Number.POSITIVE_INFINITY)) session.averaged += 1;
    }
    const stepOf = (at: number) => firstStep + offsets.findLastIndex((offset) => offset <= at);
    const done = indices.subarray(0, offsets[batchesDone]);
    return this.#measured(message, session, { firstStep, batchesDone }, (at) => stepOf(at), done);
  }

  #measure(message: SentOf<"evaluate"> | SentOf<"score">, session: OpenSession) {
    if (session.cancelled) throw new BackendError("cancelled", "cancelled");
    if (message.type === "evaluate") {
      const calibrated = message.arrays.calibration !== undefined;
      if (calibrated !== (message.fields.norm === "reestimated")) {
        throw new BackendError("bad_array", "calibration belongs to norm reestimated, and to no other");
      }
    }
    return this.#measured(message, session, {}, () => session.step, message.arrays.indices);
  }

  #save({ step, part }: FieldsOf<"save">, session: OpenSession) {
    if (part === 0) {
      if (step !== session.step) throw new BackendError("step_gap", `the session stands at ${session.step}`);
      const { seed, trail, averaged } = session;
      this.#saved = { step, bytes: new TextEncoder().encode(JSON.stringify({ seed, step, trail, averaged })) };
    }
    if (this.#saved?.step !== step) throw new BackendError("step_conflict", "nothing is kept");
    const { saveParts: parts = 1, saveNotices: notices = [] } = this.#pretence;
    const { bytes: all } = this.#saved;
    const totalBytes = all.length;
    const size = Math.ceil(totalBytes / parts);
    const bytes = all.slice(part * size, (part + 1) * size);
    const digest = createHash("sha256").update(bytes).digest("hex");
    if (part + 1 === parts) this.#saved = undefined;
    return {
      fields: { session: session.id, step, part, parts, sha256: digest, totalBytes, notices },
      arrays: { bytes },
    };
  }

  #load({ fields, arrays }: SentOf<"load">, session: OpenSession) {
    const { seed, step, trail, averaged } = JSON.parse(Buffer.from(arrays.bytes).toString());
    if (session.step !== 0 || fields.parts !== 1) throw new BackendError("step_conflict", "it was trained");
    if (seed !== session.seed || step !== fields.step) throw new BackendError("bad_state", "it is another's");
    session.id = `${session.id}+`;
    Object.assign(session, { step, trail, averaged });
    return { fields: { session: session.id, step, part: 0 }, arrays: {} };
  }

  #images(message: SentOf<"images">, { id, cancelled }: OpenSession) {
    if (cancelled) throw new BackendError("cancelled", "cancelled");
    const { part } = message.fields;
    const { indices } = message.arrays;
    const [channels, height, width] = this.#pretence.opened?.inputShape ?? INPUT_SHAPE;
    const shape = this.#pretence.imageShape ?? [height, width, channels];
    const size = shape.reduce((product, length) => product * length, 1);
    const pixels = new Uint8Array(indices.length * size);
    for (let at = 0; at < pixels.length; at++)
      pixels[at] = madeUpPixel(part, indices[Math.floor(at / size)], at % size);
    return {
      fields: { session: id, indicesSha256: this.#pretence.gathered?.(message) ?? sha256(indices) },
      arrays: { images: { shape: [indices.length, ...shape], values: pixels } },
    };
  }

  #measured(
    message: Measuring,
    { id, seed, averaged }: OpenSession,
    fields: Record<string, unknown>,
    stepOf: (at: number) => number,
    indices: Uint32Array,
  ) {
    const { loss: ofLast = madeUpLoss, scoredLoss = ofLast, prediction = () => 0, leavesOut = [] } = this.#pretence;
    const ofMean: typeof ofLast = (index, step, seed) => averaged + ofLast(index, step, seed);
    const isOfMean = message.type === "evaluate" && message.fields.weights === "averaged";
    if (isOfMean && averaged === 0) throw new BackendError("bad_field", "no update was counted into a mean yet");
    const lossOf = isOfMean ? ofMean : message.type === "score" ? scoredLoss : ofLast;
    const values: Record<Signal, ArrayLike<number>> = {
      loss: Float32Array.from(indices, (index, at) => lossOf(index, stepOf(at), seed)),
      correct: Uint8Array.from(indices, (index) => index % 2),
      prediction: Uint32Array.from(indices, (index, at) => prediction(index, stepOf(at))),
      margin: Float32Array.from(indices, (index, at) => madeUp.margin(index, stepOf(at))),
      entropy: Float32Array.from(indices, (index, at) => madeUp.entropy(index, stepOf(at))),
      el2n: Float32Array.from(indices, (index, at) => madeUp.el2n(index, stepOf(at))),
    };
    const answered = message.fields.signals.filter((signal) => !leavesOut.includes(signal));
    return {
      fields: {
        session: id,
        ...fields,
        indicesSha256: this.#pretence.gathered?.(message) ?? sha256(indices),
        seconds: this.#pretence.seconds?.(message) ?? 0,
      },
      arrays: Object.fromEntries(answered.map((signal) => [signal, values[signal]])),
    };
  }
}

/** Channels, height, width. */
const INPUT_SHAPE = [1, 28, 28] as const;

/** The pixel at this place, counted row by row, of a sample. */
export const madeUpPixel = (part: "train" | "test", index: number, at: number): number =>
  (3 * index + at + (part === "test" ? 100 : 0)) % 256;

export const madeUpLoss = (index: number, step: number): number => 1 / (1 + index + step);

/** The other signals of a sample at a step; exact in float32. */
export const madeUp = {
  margin: (index: number, step: number): number => index - step,
  entropy: (index: number, step: number): number => (index + step) / 8,
  el2n: (index: number, step: number): number => index + step / 16,
};

/** By node:crypto alone, over little-endian bytes that are laid out here. */
export function sha256(indices: Uint32Array): string {
  const bytes = Buffer.alloc(4 * indices.length);
  indices.forEach((index, at) => {
    bytes.writeUInt32LE(index, 4 * at);
  });
  return createHash("sha256").update(bytes).digest("hex");
}
