import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { openBackend } from "../../src/backend/backend.js";
import { BackendError } from "../../src/backend/errors.js";
import { findPython } from "../../src/process/find-python.js";
import { Interrupted, Session } from "../../src/training/session.js";
import { FakeBackend, madeUpPixel, type Pretence } from "../experiment/fake-backend.js";

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
  const client = new FakeBackend({ opened: { inputShape: [3, 2, 4] }, ...pretence });
  const abort = new AbortController();
  return { client, abort, session: await Session.open(client, request, abort.signal, () => {}) };
}

test("the pixels of each sample, in the order that was asked for, repeats too", async () => {
  const { client, session } = await open();
  const pixels = await session.images("test", Uint32Array.of(5, 0, 5));
  expect(pixels).toHaveLength(3 * 2 * 4 * 3);
  expect(pixels[0]).toBe(madeUpPixel("test", 5, 0));
  expect(pixels[24]).toBe(madeUpPixel("test", 0, 0));
  expect(pixels[71]).toBe(madeUpPixel("test", 5, 23));
  expect(client.sentOf("images").map(({ fields }) => fields)).toEqual([{ session: "s1", part: "test" }]);
});

test("a backend that gathered other samples is found out", async () => {
  const { session } = await open({ gathered: () => "0".repeat(64) });
  await expect(session.images("train", Uint32Array.of(1))).rejects.toMatchObject({ code: "hash_mismatch" });
});

test("a backend that sends another shape of as many pixels is found out", async () => {
  const { session } = await open({ imageShape: [3, 2, 4] });
  await expect(session.images("train", Uint32Array.of(1, 2))).rejects.toMatchObject({
    code: "bad_array",
    message: "the backend sent images of shape [2,3,2,4], [2,2,4,3] was asked for: this is a bug, report it",
  });
});

test("after an interruption nothing is asked for", async () => {
  const { client, session, abort } = await open();
  abort.abort();
  await expect(session.images("train", Uint32Array.of(1))).rejects.toBeInstanceOf(Interrupted);
  expect(client.sentOf("images")).toEqual([]);
});

test("an interruption meanwhile is Interrupted, whether it cancelled the answer or came too late", async () => {
  const cancelled = await open({ before: ({ type }) => (type === "images" ? cancelled.abort.abort() : undefined) });
  await expect(cancelled.session.images("train", Uint32Array.of(1))).rejects.toBeInstanceOf(Interrupted);
  const late = await open({ gathered: () => void late.abort.abort() });
  await expect(late.session.images("train", Uint32Array.of(1))).rejects.toBeInstanceOf(Interrupted);
});

test("what the backend refuses is told as it says it", async () => {
  const { session } = await open({
    before({ type }) {
      if (type === "images") throw new BackendError("too_large", "3 images have 9 bytes");
    },
  });
  await expect(session.images("train", Uint32Array.of(1))).rejects.toMatchObject({ code: "too_large" });
});

test("the real backend sends the pixels that its data_sha256 is of: images and labels of train, then of test", async () => {
  const backend = await openBackend({
    python: findPython(undefined),
    device: "cpu",
    threads: 1,
    listen: "ipc",
    startSeconds: 60,
    heartbeat: { everySeconds: 1, limitSeconds: 30 },
    stallSeconds: null,
    signal: new AbortController().signal,
  });
  try {
    const session = await Session.open(backend.client, request, new AbortController().signal, () => {});
    const all = (count: number) => Uint32Array.from({ length: count }, (_, index) => index);
    const train = await session.images("train", all(session.opened.n));
    const digest = createHash("sha256").update(train).update(session.labels);
    digest.update(await session.images("test", all(session.opened.testCount))).update(session.testLabels);
    expect(digest.digest("hex")).toBe(session.opened.dataSha256);

    const size = 28 * 28;
    const some = await session.images("train", Uint32Array.of(700, 2, 700));
    const expected = [700, 2, 700].map((index) => train.subarray(index * size, (index + 1) * size));
    expect(Buffer.compare(some, Buffer.concat(expected))).toBe(0);
    expect(await session.images("test", new Uint32Array())).toEqual(new Uint8Array());
    await expect(session.images("test", Uint32Array.of(360))).rejects.toMatchObject({ code: "bad_index" });
    await session.close();
  } finally {
    await backend.stop();
  }
});
