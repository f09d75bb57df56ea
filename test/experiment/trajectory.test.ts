// What a run is trained on after a checkpoint, batch by batch, is what it would have been trained on without it.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BackendLost } from "../../src/backend/errors.js";
import type { FakeBackend, Pretence } from "./fake-backend.js";
import { Scene } from "./scene.js";

/** 3 epochs of 3 batches; losses that depend on the step, so that another place in the run is another order. */
const THREE_BATCHES = ["seeds=[4]", "checkpoint={everyBatches: 1, leastSeconds: 0}"];
const LOSSES: Pretence = { loss: (index, step) => 1 + ((7 * index + 3 * step) % 11) / 8 };
const STEPS = 9;

const ORDERS: Record<string, readonly string[]> = {
  "a part by loss": ["arms={a: {order: {name: weighted, fraction: 0.5, by: loss}}}"],
  "a shuffle": ["arms={a: {order: shuffled}}", "batching.size=8"],
  "batches of candidates that are scored": ["arms={a: {order: {name: pool}}}", "batching.size=4"],
  "batches that are each decided anew": ["arms={a: {order: {name: top-loss, cover: true}}}", "batching.size=8"],
  "a shuffle with growing batches": [
    "arms={a: {order: {name: random-subset, fraction: 0.75}}}",
    "batching={name: linear, from: 6, to: 9, per: batch}",
  ],
};

interface Attempt {
  readonly client: FakeBackend;
  /** The step at which it went on; undefined where it began anew. */
  readonly loaded: number | undefined;
}

/** One command after another, each stopped before the chunk with this step, and a last one that ends. */
async function preempted(stops: readonly number[], settings: readonly string[], chunks: readonly number[] = [2]) {
  const scene = new Scene();
  const attempts: Attempt[] = [];
  for (const [at, stop] of [...stops, Number.POSITIVE_INFINITY].entries()) {
    const abort = new AbortController();
    const before: Pretence["before"] = (message) => {
      if (message.type === "train" && message.fields.firstStep >= stop) abort.abort();
    };
    const chunk = `backend.chunkBatches=${chunks[at % chunks.length]}`;
    const { client } = await scene.run({
      settings: [...THREE_BATCHES, ...settings, chunk],
      abort,
      pretence: { ...LOSSES, before },
    });
    attempts.push({ client, loaded: client.sentOf("load")[0]?.fields.step });
  }
  return { scene, attempts };
}

const trained = ({ trajectory }: FakeBackend): readonly number[] => trajectory.map(({ step }) => step);
const from = (first: number): number[] => Array.from({ length: STEPS - first }, (_, at) => first + at);

/** Every batch of every command is the undisturbed run's, and the last command trains all that was left. */
async function expectSame(
  stops: readonly number[],
  loads: readonly (number | undefined)[],
  settings: readonly string[],
) {
  const [{ client: whole }] = (await preempted([], settings)).attempts;
  expect(trained(whole)).toEqual(from(0));
  const { attempts } = await preempted(stops, settings, [1]);
  expect(attempts.map(({ loaded }) => loaded)).toEqual(loads);
  for (const { client, loaded = 0 } of attempts) {
    const { trajectory } = client;
    expect(trajectory).toEqual(whole.trajectory.slice(loaded, loaded + trajectory.length));
  }
  const last = attempts[attempts.length - 1];
  expect(trained(last.client)).toEqual(from(last.loaded ?? 0));
}

test.each([
  ["the second resume within an epoch", [1, 2], [undefined, 1, 2]],
  ["a checkpoint right after a resume", [4, 5], [undefined, 4, 5]],
  ["stopped again before a batch", [4, 4], [undefined, 4, 4]],
  ["at an epoch's end", [3], [undefined, 3]],
  ["at every epoch's end", [3, 6], [undefined, 3, 6]],
  ["before the last batch", [8], [undefined, 8]],
  ["in every epoch", [1, 4, 7], [undefined, 1, 4, 7]],
])("%s", async (_, stops, loads) => {
  await expectSame(stops, loads, ORDERS["a part by loss"]);
});

describe.each(Object.entries(ORDERS))("of %s", (_, settings) => {
  test("stopped before every batch", async () => {
    await expectSame(from(1), [undefined, ...from(1)], settings);
  });

  test("stopped in every epoch, with other chunks each time: its orders still change from epoch to epoch", async () => {
    const whole = await preempted([], settings, [100]);
    const { scene, attempts } = await preempted([2, 4, 8], settings, [1, 2, 1, 3]);
    expect(attempts[3].client.trajectory).toEqual(whole.attempts[0].client.trajectory.slice(attempts[3].loaded));
    const orders = [0, 1, 2].map((epoch) => scene.words(`a/seed-4/orders/000${epoch}.u32`));
    expect(orders).toEqual([0, 1, 2].map((epoch) => whole.scene.words(`a/seed-4/orders/000${epoch}.u32`)));
    expect(new Set(orders.map(String)).size).toBe(3);
  });
});

test("lost while an epoch is evaluated, after a checkpoint behind its last batch: no batch is trained again", async () => {
  const settings = [...ORDERS["a part by loss"], "checkpoint={everyBatches: 3, everyEpochs: null}"];
  const [{ client: whole }] = (await preempted([], settings)).attempts;
  const scene = new Scene();
  const folder = join(scene.directory, "a/seed-4/checkpoint");
  const written = () => readdirSync(folder).filter((step) => existsSync(join(folder, step, "manifest.json")));
  let losses = 1;
  const { clients, results, error } = await scene.run({
    settings: [...THREE_BATCHES, ...settings],
    pretence: {
      ...LOSSES,
      async before({ type }, backend) {
        // While one is being written, none is taken; of step 6 it is asked for when the first batches of its epoch are answered.
        if (type === "train" && backend.trajectory.length === 3) await expect.poll(written).toContain("3");
        if (type !== "evaluate" || backend.trajectory.length < 6 || losses-- <= 0) return;
        await expect.poll(written).toContain("6");
        throw new BackendLost("the backend ended");
      },
    },
  });
  expect(error).toBeUndefined();
  expect(results).toMatchObject([{ state: "done", error: undefined }]);
  expect(clients.map(trained)).toEqual([
    [0, 1, 2, 3, 4, 5],
    [6, 7, 8],
  ]);
  expect(clients.flatMap(({ trajectory }) => trajectory)).toEqual(whole.trajectory);
  expect(scene.metrics("a", 4).map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
});
