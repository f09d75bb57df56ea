import { createHash } from "node:crypto";
import { getEventListeners } from "node:events";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { BackendError, BackendLost } from "../../src/backend/errors.js";
import { PlanSource } from "../../src/training/batch-source.js";
import type { Plan } from "../../src/training/plan.js";
import { Interrupted, Session, type TrainedOn } from "../../src/training/session.js";
import { trainChunks } from "../../src/training/train-chunks.js";
import { FakeBackend, madeUpLoss, type Pretence } from "../experiment/fake-backend.js";
import { plannedAs } from "./planned.js";

const request = {
  dataset: { origin: "catalogue", name: "digits", options: {} },
  dataDir: null,
  model: { origin: "catalogue", name: "mnist-cnn", options: {} },
  loss: null,
  optimizer: { name: "sgd", options: {} },
  augmentation: { crop: 0, flip: false },
  precision: "float32",
  channelsLast: "auto",
  equalBits: false,
  fast: true,
  owner: null,
  seed: 3,
  modelSeed: null,
} as const;

async function open(pretence: Pretence = {}) {
  const client = new FakeBackend(pretence);
  const abort = new AbortController();
  return { client, abort, session: await Session.open(client, request, abort.signal, () => {}) };
}

/** Ten batches of two. */
const plan: Plan = {
  indices: Uint32Array.from({ length: 20 }, (_, at) => 19 - at),
  offsets: Uint32Array.from({ length: 11 }, (_, batch) => 2 * batch),
  learningRates: new Float64Array(10).fill(0.5),
};

/** Trains on a plan from step 0 on, and tells what each chunk gave. */
async function train(
  session: Session,
  trainedOn: Plan,
  { chunkBatches, tell = () => {} }: { chunkBatches: number; tell?: (trained: TrainedOn) => void },
): Promise<TrainedOn[]> {
  const seen: TrainedOn[] = [];
  const options = { chunkBatches, microBatch: null, average: null, extras: [], firstStep: 0 };
  for await (const answered of trainChunks(
    session,
    new PlanSource(plannedAs(trainedOn), { firstStep: 0, step: 0 }),
    options,
  )) {
    if (!("trained" in answered)) throw new Error("nothing else was asked for");
    tell(answered.trained);
    seen.push(answered.trained);
  }
  return seen;
}

/** Weak references are kept to the end of the turn in which they were made. */
async function collectGarbage(): Promise<void> {
  await setImmediate();
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

/** What a user's code gives that never ends. */
const never = new Promise<void>(() => {});

const one = { part: "test", indices: Uint32Array.of(1), batchSize: 2, norm: "running" } as const;

describe("train", () => {
  test("yields each chunk with its losses, in the order of the plan", async () => {
    const { session } = await open();
    const seen = await train(session, plan, { chunkBatches: 3 });
    expect(seen.map(({ chunk }) => chunk.firstStep)).toEqual([0, 3, 6, 9]);
    expect(seen.flatMap(({ chunk }) => [...chunk.indices])).toEqual([...plan.indices]);
    expect(seen.flatMap(({ signals }) => [...signals.loss])).toEqual(
      [...plan.indices].map((index, at) => Math.fround(madeUpLoss(index, Math.floor(at / 2)))),
    );
    expect(seen.flatMap(({ signals }) => [...signals.correct])).toEqual([...plan.indices].map((index) => index % 2));
  });

  test("keeps two chunks under way, and never more", async () => {
    const { client, session } = await open();
    await train(session, plan, { chunkBatches: 1 });
    expect(client.sentOf("train")).toHaveLength(10);
    expect(client.mostUnderWay).toBe(2);
  });

  test("asks for loss, correct and prediction, and sends the hash of all arrays, as PROTOCOL.md says", async () => {
    const { client, session } = await open();
    const weighted = { ...plan, weights: new Float32Array(20).fill(2) };
    await train(session, weighted, { chunkBatches: 4 });
    const [{ fields, arrays }] = client.sentOf("train");
    const bytes = [arrays.indices, arrays.offsets, arrays.learningRates, arrays.weights ?? []];
    const hash = createHash("sha256");
    for (const array of bytes) for (const value of array) hash.update(littleEndian(value, array));
    expect(fields).toEqual({
      session: "s1",
      firstStep: 0,
      sha256: hash.digest("hex"),
      signals: ["loss", "correct", "prediction"],
      microBatch: null,
      average: null,
    });
  });

  test("a backend that gathered other indices is found out", async () => {
    const { session } = await open({ gathered: ({ type }) => (type === "train" ? "0".repeat(64) : undefined) });
    await expect(train(session, plan, { chunkBatches: 5 })).rejects.toMatchObject({
      code: "hash_mismatch",
      message: expect.stringMatching(
        /^the backend gathered indices that hash to 0{64}, those of the plan hash to [0-9a-f]{64}: this is a bug, report it$/,
      ),
    });
  });

  test("the first chunk's error comes out, not that of the chunk behind it", async () => {
    const { session } = await open({
      before({ type, fields }) {
        if (type === "train" && fields.firstStep === 2) throw new BackendError("out_of_memory", "no memory");
      },
    });
    const seen: number[] = [];
    const training = train(session, plan, { chunkBatches: 2, tell: ({ chunk }) => void seen.push(chunk.firstStep) });
    await expect(training).rejects.toThrow("no memory"); // the ones behind it end in step_gap
    expect(seen).toEqual([0]);
  });

  test("an interruption cancels what is under way, sends nothing more and ends in Interrupted", async () => {
    const { client, session, abort } = await open({
      before({ type, fields }) {
        if (type === "train" && fields.firstStep === 4) abort.abort();
      },
    });
    const seen: number[] = [];
    const training = train(session, plan, { chunkBatches: 2, tell: ({ chunk }) => void seen.push(chunk.firstStep) });
    await expect(training).rejects.toBeInstanceOf(Interrupted);
    expect(seen).toEqual([0, 2]);
    expect(client.cancels).toEqual(["s1"]);
    expect(client.sentOf("train").map(({ fields }) => fields.firstStep)).toEqual([0, 2, 4, 6]); // not 8
  });
});

test("after an interruption that hit nothing under way, no chunk goes out", async () => {
  const { client, session, abort } = await open();
  abort.abort();
  await expect(train(session, plan, { chunkBatches: 2 })).rejects.toBeInstanceOf(Interrupted);
  expect(client.sentOf("train")).toEqual([]);
});

describe("open", () => {
  test("is not waited for after an interruption, nor asked for", async () => {
    const abort = new AbortController();
    const client = new FakeBackend({ before: () => new Promise(() => abort.abort()) }); // it would load for ever
    await expect(Session.open(client, request, abort.signal, () => {})).rejects.toBeInstanceOf(Interrupted);
    expect(client.keptAlive).toEqual([]);
    await expect(Session.open(client, request, abort.signal, () => {})).rejects.toBeInstanceOf(Interrupted);
    expect(client.sentOf("open")).toHaveLength(1);
  });

  test("at a backend that is going: it is lost", async () => {
    const client = new FakeBackend({
      before() {
        throw new BackendError("shutting_down", "this backend is going");
      },
    });
    await expect(Session.open(client, request, new AbortController().signal, () => {})).rejects.toMatchObject(goes);
  });
});

/** Nobody here asked for it. */
const stopped = {
  constructor: BackendLost,
  message: /^the backend stopped the work, though not asked to from here: somebody else cancelled it, or ends it$/,
};
const goes = {
  constructor: BackendLost,
  message: /^the backend ends, though not asked to from here: this backend is going$/,
};

describe("work that somebody else ends is not the user's interruption", () => {
  test("a chunk that was left half done", async () => {
    const { session } = await open({ before: (_, backend) => void backend.control("cancel", { session: "s1" }) });
    await expect(train(session, plan, { chunkBatches: 5 })).rejects.toMatchObject(stopped);
  });

  test.each([
    ["cancelled", stopped],
    ["shutting_down", goes],
    ["device_broken", { constructor: BackendLost, message: /^the backend ends: this backend is going; under way: / }],
  ] as const)("an error %s", async (code, expected) => {
    const { session } = await open({
      before({ type }) {
        if (type === "train" || type === "evaluate") throw new BackendError(code, "this backend is going");
      },
    });
    await expect(train(session, plan, { chunkBatches: 5 })).rejects.toMatchObject(expected);
    await expect(session.evaluate(one)).rejects.toMatchObject(expected);
  });

  test("our own cancel, after a divergence, is", async () => {
    const { client, session } = await open({ before: ({ type }) => (type === "train" ? session.cancel() : undefined) });
    await expect(train(session, plan, { chunkBatches: 5 })).rejects.toBeInstanceOf(Interrupted);
    expect(client.cancels).toEqual(["s1"]);
  });
});

describe("evaluate", () => {
  test("gives what the model says of each sample that was asked for, in that sequence", async () => {
    const { session } = await open({ loss: (index) => index });
    const indices = Uint32Array.of(6, 1, 2);
    expect(await session.evaluate({ part: "train", indices, batchSize: 2, norm: "running" })).toEqual({
      loss: Float32Array.of(6, 1, 2),
      correct: Uint8Array.of(0, 1, 0),
      prediction: Uint32Array.of(0, 0, 0),
    });
  });

  test("says which statistics BatchNorm takes, and sends calibration where they are re-estimated", async () => {
    const { client, session } = await open();
    const calibration = Uint32Array.of(5, 3);
    await session.evaluate({ ...one, norm: "batch" });
    await session.evaluate({ ...one, norm: "reestimated", calibration });
    const asked = client.sentOf("evaluate").map(({ fields, arrays }) => [fields.norm, arrays.calibration]);
    expect(asked).toEqual([
      ["batch", undefined],
      ["reestimated", calibration],
    ]);
  });

  test("a backend that measured other samples is found out", async () => {
    const { session } = await open({ gathered: () => "0".repeat(64) });
    await expect(session.evaluate(one)).rejects.toMatchObject({ code: "hash_mismatch" });
  });

  test("after an interruption nothing is measured", async () => {
    const { client, session, abort } = await open();
    abort.abort();
    await expect(session.evaluate(one)).rejects.toBeInstanceOf(Interrupted);
    expect(client.sentOf("evaluate")).toEqual([]);
  });

  test("an interruption that came too late to cancel it counts nevertheless: the run is not done", async () => {
    const { session, abort } = await open({ gathered: () => void abort.abort() }); // the answer is made already
    await expect(session.evaluate(one)).rejects.toBeInstanceOf(Interrupted);
  });

  test("an interruption waits for no answer: it may never come", async () => {
    const before: Pretence["before"] = ({ type }) => (type === "evaluate" ? never : undefined);
    const { client, session, abort } = await open({ before });
    const evaluating = session.evaluate(one);
    abort.abort();
    await expect(evaluating).rejects.toBeInstanceOf(Interrupted);
    expect(client.cancels).toEqual(["s1"]);
  });

  test("cancelled is Interrupted", async () => {
    const { session, abort } = await open({ before: ({ type }) => (type === "evaluate" ? abort.abort() : undefined) });
    await expect(session.evaluate(one)).rejects.toBeInstanceOf(Interrupted);
  });
});

describe("close", () => {
  test("tells the backend, and stops keeping the session alive", async () => {
    const { client, session } = await open();
    await session.close();
    expect(client.sentOf("close").map(({ fields }) => fields)).toEqual([{ session: "s1" }]);
    expect(client.keptAlive).toEqual(["s1", null]);
  });

  test("an interruption after it cancels nothing", async () => {
    const { client, session, abort } = await open();
    await session.close();
    abort.abort();
    expect(client.cancels).toEqual([]);
  });

  test("nothing of it listens to the user's signal any more, whatever garbage was collected meanwhile", async () => {
    const client = new FakeBackend({});
    const { signal } = new AbortController();
    for (let opened = 0; opened < 3; opened++) {
      const session = await Session.open(client, request, signal, () => {}, 5);
      await collectGarbage();
      await session.close();
    }
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test.each([
    new BackendLost("gone"),
    new BackendError("unknown_session", "never heard of it"),
    new BackendError("shutting_down", "going"),
  ])("a session that is gone is closed: $message", async (error) => {
    const { session } = await open({
      before({ type }) {
        if (type === "close") throw error;
      },
    });
    await expect(session.close()).resolves.toBeUndefined();
  });

  test.each([
    ["", false, 30],
    [" after an interruption", true, 2],
  ])("an answer that does not come%s gives the backend up after its limit", async (_, interrupted, seconds) => {
    const { client, session, abort } = await open({ before: ({ type }) => (type === "close" ? never : undefined) });
    if (interrupted) abort.abort();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const closing = session.close();
    vi.advanceTimersByTime(1000 * seconds - 1);
    expect(client.failures).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(client.failures).toEqual([new BackendLost(`the backend did not close its session in ${seconds} s`)]);
    await closing;
    expect(vi.getTimerCount()).toBe(0);
  });

  test("any other error is told", async () => {
    const { session } = await open({
      before({ type }) {
        if (type === "close") throw new BackendError("internal", "broken");
      },
    });
    await expect(session.close()).rejects.toThrow("broken");
  });
});

/** One number in the wire's bytes. */
function littleEndian(value: number, array: unknown): Buffer {
  const bytes = Buffer.alloc(array instanceof Float64Array ? 8 : 4);
  if (array instanceof Float64Array) bytes.writeDoubleLE(value);
  else if (array instanceof Float32Array) bytes.writeFloatLE(value);
  else bytes.writeUInt32LE(value);
  return bytes;
}
