// Evaluations within epochs: at exact steps, seen by nobody who trains, and each once however often a run goes on.
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { armHash } from "../../src/config/config.js";
import type { EpochMetrics } from "../../src/record/epoch-metrics.js";
import { equallySpaced } from "../../src/training/within-epoch.js";
import type { Pretence } from "./fake-backend.js";
import { LOSSES, recorded, stoppedBefore, undisturbed } from "./one-run.js";
import { CONFIG, resolved, Scene } from "./scene.js";

const ORDERS = {
  "whole epochs": "{ name: loss-global }",
  "a decision each batch": "{ name: weighted, per: batch, fraction: 1 }",
};
const settingsOf = (order: string, ...others: readonly string[]) => [
  `arms={a: {order: ${order}}}`,
  "seeds=[4]",
  ...others,
];

async function trained(settings: readonly string[]) {
  const scene = new Scene();
  const { client } = await scene.run({ settings, pretence: LOSSES });
  const lines = scene.text("a/seed-4/metrics.jsonl").trimEnd().split("\n");
  return { client, metrics: lines.map((line): EpochMetrics => JSON.parse(line)) };
}

describe.each(Object.entries(ORDERS))("%s", (_, order) => {
  test.each([1, 50])("are at exact steps with %i batches a chunk, and train the same", async (chunkBatches) => {
    const chunk = `backend.chunkBatches=${chunkBatches}`;
    const plain = await trained(settingsOf(order, chunk));
    const looked = await trained(settingsOf(order, chunk, "evaluation.perEpoch=3"));
    expect(looked.client.trajectory).toEqual(plain.client.trajectory);
    expect(looked.metrics.map(({ within, ...line }) => line)).toEqual(plain.metrics);
    const places = looked.metrics.map(({ within }) => within?.map(({ step, samples }) => ({ step, samples })));
    const ofEpoch = (first: number) => [
      { step: first + 2, samples: 10 },
      { step: first + 3, samples: 15 },
    ]; // of 5 batches
    expect(places).toEqual([0, 5, 10].map(ofEpoch));
    const lossAt = (step: number) =>
      [0, 1, 2, 3, 4, 5].reduce((sum, index) => sum + (LOSSES.loss?.(index, step, 4) ?? 0), 0);
    expect(looked.metrics[1].within?.map(({ test }) => test?.loss)).toEqual([7, 8].map((step) => lossAt(step) / 6));
  });

  test.each([2, 4, 8])("go on from step %i with none doubled or lost", async (step) => {
    const checkpoint = "checkpoint={everyBatches: 1, leastSeconds: 0}";
    const settings = settingsOf(order, checkpoint, "evaluation.perEpoch=3", "backend.chunkBatches=1");
    const whole = await undisturbed({ settings });
    const scene = await stoppedBefore(step, settings);
    const { client } = await scene.run({ settings, pretence: LOSSES });
    expect(client.sentOf("load")).toHaveLength(1);
    expect(recorded(scene)).toEqual(whole.recorded);
  });

  test("stopped while one is on its way, and batches are trained on behind it: it goes on from these", async () => {
    const settings = settingsOf(order, "checkpoint={everyBatches: null, everySeconds: null}", "evaluation.perEpoch=3");
    const whole = await undisturbed({ settings });
    const scene = new Scene();
    const abort = new AbortController();
    let evaluations = 0;
    const delivers: Pretence["delivers"] = async ({ type }) => {
      if (type !== "evaluate" || ++evaluations !== 1) return;
      for (let turn = 0; turn < 20; turn++) await setImmediate();
      abort.abort();
    };
    const stopped = await scene.run({ settings, pretence: { ...LOSSES, delivers }, abort });
    const { client } = await scene.run({ settings, pretence: LOSSES });
    expect(client.sentOf("load").map(({ fields }) => fields.step)).toEqual([stopped.client.trajectory.length]);
    expect(recorded(scene)).toEqual(whole.recorded);
  });
});

test("are of epochs that are evaluated, the last one of a budget among them", async () => {
  const budget = "arms={a: {order: shuffled, budget: {samples: 60}}}";
  const { metrics } = await trained(["seeds=[4]", "evaluation={every: 2, perEpoch: 2}", budget]);
  expect(metrics.map(({ test, within }) => [test !== undefined, within?.length])).toEqual([
    [false, undefined],
    [true, 1],
    [true, 1],
  ]);
});

test("are as many as there are batches for them", () => {
  expect(equallySpaced(10, 4)).toEqual([3, 5, 8]);
  expect(equallySpaced(2, 5)).toEqual([1]);
  expect(equallySpaced(1, 5)).toEqual([]);
  expect(equallySpaced(4, 1e9)).toEqual([1, 2, 3]); // no list of as many as are wanted
});

test("one an epoch is as left out", async () => {
  const hashed = async (evaluation: string) => {
    const config = await resolved(CONFIG.replace("{ trainSample: 4 }", evaluation));
    return armHash(config.arms.frozen, config.evaluation);
  };
  expect(await hashed("{ trainSample: 4, perEpoch: 1 }")).toBe(await hashed("{ trainSample: 4 }"));
  expect(await hashed("{ trainSample: 4, perEpoch: 2 }")).not.toBe(await hashed("{ trainSample: 4 }"));
});
