import { expect, test } from "vitest";
import { BackendClient } from "../../src/backend/client.js";
import { BackendLost } from "../../src/backend/errors.js";
import { BackendSupply } from "../../src/backend/supply.js";
import { FakeBackend } from "./fake-backend.js";

/** A supply of backends that only answer `hello`, and what became of them. */
async function supply() {
  const fake = await FakeBackend.start();
  const stopped: number[] = [];
  let opened = 0;
  const backends = new BackendSupply({ name: "it", isElsewhere: false }, async () => {
    const number = opened++;
    const connecting = BackendClient.connect(fake.control.endpoint, {
      heartbeat: { everySeconds: 1000, limitSeconds: 30_000 },
      startSeconds: 60,
      signal: new AbortController().signal,
    });
    await fake.greet();
    const client = await connecting;
    return {
      client,
      stop: async () => {
        client.close();
        stopped.push(number);
      },
    };
  });
  return { backends, stopped, opened: () => opened, end: () => fake.stop() };
}

test("the same backend for as long as it serves", async () => {
  const { backends, stopped, opened, end } = await supply();
  expect(opened()).toBe(0);
  const first = await backends.get();
  expect(await backends.get()).toBe(first);
  expect(stopped).toEqual([]);
  await backends.discard();
  end();
});

test("another one where it was given up, or discarded; the old one is stopped first", async () => {
  const { backends, stopped, opened, end } = await supply();
  const first = await backends.get();
  first.fail(new BackendLost("gone"));
  const second = await backends.get();
  expect(second).not.toBe(first);
  expect(stopped).toEqual([0]);
  await backends.discard();
  expect(await backends.get()).not.toBe(second);
  expect([stopped, opened()]).toEqual([[0, 1], 3]);
  await backends.discard();
  await backends.discard(); // none is there: nothing to do
  expect(stopped).toEqual([0, 1, 2]);
  end();
});
