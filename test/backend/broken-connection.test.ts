/** An attached backend that is killed, restarted, or no longer reached: told in seconds, and as what it is. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { BackendClient } from "../../src/backend/client.js";
import { BackendLost } from "../../src/backend/errors.js";
import { FakeBackend } from "./fake-backend.js";

/** No tick comes by itself: what is told here is told without waiting for the heartbeat's limit. */
const heartbeat = { everySeconds: 1000, limitSeconds: 30_000 };
let fake: FakeBackend;
let client: BackendClient;

beforeEach(async () => {
  fake = await FakeBackend.start();
  const connected = BackendClient.connect(fake.control.endpoint, {
    heartbeat,
    startSeconds: 10,
    signal: new AbortController().signal,
  });
  await fake.greet();
  client = await connected;
});

afterEach(() => {
  vi.useRealTimers();
  client.close();
  fake.stop();
});

const answerPings = (instance: string): void =>
  fake.control.always((asked) => void asked.answer("ping_ok", { instance }));

/** Work that has reached the backend, which does not answer it. */
async function workUnderWay(): Promise<{ work: Promise<unknown> }> {
  const work = client.work("close", { session: "s" }, {});
  work.catch(() => {});
  await fake.work.next();
  return { work };
}

const restarted = () =>
  `the backend at ${fake.control.endpoint} was restarted: another instance answers there, which does not have the session`;

test("restarted while it works", async () => {
  const { work } = await workUnderWay();
  await fake.restart();
  answerPings("two");
  await expect(work).rejects.toEqual(new BackendLost(restarted()));
  expect(client.isLost).toBe(true);
});

test("restarted while a session is open and nothing is under way", async () => {
  client.keepAlive("s");
  const done = client.work("close", { session: "s" }, {});
  await (await fake.work.next()).answer("close_ok", {});
  await done;
  await fake.restart();
  answerPings("two");
  await vi.waitFor(() => expect(client.isLost).toBe(true), { timeout: 10_000 });
  await expect(client.control("status", { session: null })).rejects.toThrow("was restarted");
});

test("killed, and nothing answers in its place", async () => {
  const { work } = await workUnderWay();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  await fake.end();
  let lost: unknown;
  work.catch((error: unknown) => {
    lost = error;
  });
  for (let tries = 0; tries < 1000 && lost === undefined; tries++) {
    await vi.advanceTimersByTimeAsync(500);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(lost).toEqual(
    new BackendLost(`the backend at ${fake.control.endpoint} is gone: its connection broke, and nothing answers`),
  );
});

test("the same instance over another connection: what was under way is lost, and said to be", async () => {
  const { work } = await workUnderWay();
  await fake.restart();
  answerPings("one");
  await expect(work).rejects.toThrow(
    `the connection to the backend at ${fake.control.endpoint} broke while it was at work`,
  );
});

test("restarted between two runs: what is asked next is answered by the new one", async () => {
  const before = client.work("close", { session: "s" }, {});
  await (await fake.work.next()).answer("close_ok", {});
  await before;
  await fake.restart();
  await fake.work.connected();
  const next = client.work("close", { session: "t" }, {});
  await (await fake.work.next()).answer("close_ok", {});
  await next;
  expect(client.isLost).toBe(false);
});
