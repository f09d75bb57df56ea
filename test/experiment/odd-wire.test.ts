// A wire that delays answers, doubles them, mixes up their sequence, and delivers those of another session: no bit changes.
import { setImmediate } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { BackendClient } from "../../src/backend/client.js";
import { BackendError } from "../../src/backend/errors.js";
import type { FieldsOf, Message, MessageArrays, WorkRequest } from "../../src/backend/messages.js";
import { type Random, random } from "../../src/kernels/random.js";
import { type Asked, FakeBackend as Sockets } from "../backend/fake-backend.js";
import type { FakeBackend } from "./fake-backend.js";
import { LOSSES, recorded } from "./one-run.js";
import { Scene } from "./scene.js";

/** A client over real sockets, behind which a backend that pretends answers as the numbers say. */
async function oddly(backend: FakeBackend, numbers: Random, sent: Promise<void>[]): Promise<BackendClient> {
  const sockets = await Sockets.start();
  const connected = BackendClient.connect(sockets.control.endpoint, {
    ...{ heartbeat: { everySeconds: 60, limitSeconds: 600 }, startSeconds: 60, signal: new AbortController().signal },
  });
  await sockets.greet();
  const client = await connected;
  sockets.work.always((asked) => void sent.push(answered(asked, backend, numbers)));
  onTestFinished(() => {
    client.close();
    sockets.stop();
  });
  // What it says of itself is the pretence's.
  return Object.assign(client, { introduction: backend.introduction });
}

/** Sends the answer twice, each after a while of its own; now and then one of another session first. */
async function answered(asked: Asked, backend: FakeBackend, numbers: Random): Promise<void> {
  const { message, answer } = asked;
  const [first, second] = [numbers.below(20), numbers.below(60)];
  const isFirstAnothers = numbers.below(3) === 0;
  try {
    const { fields, arrays } = await asWork(backend, message);
    const type = `${message.type}_ok` as Message["type"];
    const send = (of: object) => answer(type, of as FieldsOf<typeof type>, arrays as MessageArrays<typeof type>);
    await turns(first);
    if (isFirstAnothers && message.type !== "load" && message.type !== "open" && message.type !== "close") {
      await send({ ...fields, session: "another" });
    }
    await send(fields);
    await turns(second);
    await send(fields);
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    await answer("error", { code: error.code, message: error.message, details: {} });
  }
}

const asWork = (backend: FakeBackend, { type, fields, arrays }: Message) =>
  backend.work(type as WorkRequest, fields as FieldsOf<WorkRequest>, arrays as MessageArrays<WorkRequest>);

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await setImmediate();
}

test.each([
  ["candidates that are scored, lag 3", "{name: pool, lag: 3}", 1],
  ["candidates that are scored, lag 1", "{name: pool, by: el2n}", 2],
  ["candidates that are scored, lag 0", "{name: pool, lag: 0}", 3],
  ["each batch decided by losses", "{name: weighted, per: batch, unbiased: true, lag: 2}", 4],
])("%s", async (_, order, seed) => {
  const settings = [`arms={a: {order: ${order}}}`, "seeds=[4]", "checkpoint={everyBatches: 2, leastSeconds: 0}"];
  const whole = new Scene();
  const { client } = await whole.run({ settings, pretence: LOSSES });
  const scene = new Scene();
  const numbers = random(seed, "noise", 0);
  const clients: BackendClient[] = [];
  const sent: Promise<void>[] = [];
  const between = async (backend: FakeBackend) => {
    const odd = clients[0] ?? (await oddly(backend, numbers, sent));
    clients[0] = odd;
    return odd;
  };
  const again = await scene.run({ settings, pretence: LOSSES, between });
  await Promise.all(sent);
  expect(again.results).toMatchObject([{ state: "done" }]);
  expect(recorded(scene)).toEqual(recorded(whole));
  expect(again.client.trails).toEqual(client.trails);
  const [, told] = /a, seed 4: dropped (\d+) of the backend's answers/.exec(scene.text("log.txt")) ?? [];
  expect(Number(told)).toBeGreaterThan(again.client.sent.length / 2);
  expect(clients[0].dropped).toBeGreaterThanOrEqual(Number(told));
});
