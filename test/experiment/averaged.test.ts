// A mean of the weights: from the right batch on, looked at beside the last weights, and seen by nobody who trains.
import { describe, expect, test } from "vitest";
import { armHash } from "../../src/config/config.js";
import type { EpochMetrics } from "../../src/record/epoch-metrics.js";
import type { Pretence } from "./fake-backend.js";
import { LOSSES, recorded, stoppedBefore, undisturbed } from "./one-run.js";
import { CONFIG, resolved, Scene } from "./scene.js";

const ORDERS = { "whole epochs": "{ name: loss-global }", "a decision each batch": "{ name: weighted, per: batch }" };
const settingsOf = (order: string, ...others: readonly string[]) => [
  `arms={a: {order: ${order}}}`,
  "seeds=[4]",
  ...others,
];

const budgeted = (order: string, budget: string, last: number) => [
  `arms={a: {order: ${order}, budget: ${budget}}}`,
  "seeds=[4]",
  `evaluation={averaged: {last: ${last}}}`,
];

async function trained(settings: readonly string[], pretence: Pretence = LOSSES) {
  const scene = new Scene();
  const { client, error } = await scene.run({ settings, pretence });
  const lines = error === undefined ? scene.text("a/seed-4/metrics.jsonl").trimEnd().split("\n") : [];
  return { client, error, metrics: lines.map((line): EpochMetrics => JSON.parse(line)) };
}

describe.each(Object.entries(ORDERS))("%s", (_, order) => {
  test("trains the same, and says of how many updates the mean is", async () => {
    const plain = await trained(settingsOf(order));
    const averaged = await trained(settingsOf(order, "evaluation.perEpoch=2", "evaluation.averaged={last: 0.4}"));
    expect(averaged.client.trajectory).toEqual(plain.client.trajectory);
    expect(averaged.metrics.map(({ within: _, averaged: __, ...line }) => line)).toEqual(plain.metrics);
    const ends = plain.metrics.flatMap(({ epoch, batches, samples }) =>
      Array.from({ length: batches }, (_, at) => (epoch + Math.min(5 * (at + 1), samples) / samples) / 3),
    );
    const countedBy = (step: number) => ends.slice(0, step).filter((progress) => progress > 0.6).length;
    const places = averaged.metrics.flatMap((line) => [...(line.within ?? []), line]);
    expect(places.map(({ averaged }) => averaged?.updates ?? 0)).toEqual(places.map(({ step }) => countedBy(step)));
    const last = averaged.metrics[2];
    expect(Number(last.averaged?.test?.loss) - Number(last.test?.loss)).toBeCloseTo(last.averaged?.updates ?? 0, 5);
  });

  test.each(["{last: 0.4}", "{decay: 0.9}"])("goes on in the middle of %s to the same records", async (how) => {
    const checkpoint = "checkpoint={everyBatches: 1, leastSeconds: 0}";
    const settings = settingsOf(
      order,
      checkpoint,
      `evaluation={perEpoch: 2, averaged: ${how}}`,
      "backend.chunkBatches=1",
    );
    const whole = await undisturbed({ settings });
    const steps = (await trained(settings)).metrics[2].step;
    const scene = await stoppedBefore(steps - 2, settings);
    const { client } = await scene.run({ settings, pretence: LOSSES });
    expect(client.sentOf("load")).toHaveLength(1);
    expect(recorded(scene)).toEqual(whole.recorded);
  });
});

test("an exponential mean is of all updates; BatchNorm's statistics are estimated anew for it, and for what it is held against", async () => {
  const opened = {
    settings: {
      memoryFormat: "",
      precision: "float32",
      deterministic: true,
      fusedUpdates: false,
      recordedSteps: false,
      dropout: [],
      batchNormLayers: 2,
    },
  } as const;
  const settings = settingsOf("shuffled", "evaluation={averaged: {decay: 0.9}, batchNormSample: 0, trainSample: 0}");
  const { client, metrics } = await trained(settings, {
    ...LOSSES,
    opened: { settings: { ...opened.settings, dropout: [] } },
  });
  expect(metrics.map(({ averaged }) => averaged?.updates)).toEqual([5, 10, 15]);
  expect(metrics.every(({ test, averaged }) => averaged?.lastReestimated?.count === test?.count)).toBe(true);
  const looks = client
    .sentOf("evaluate")
    .map(({ fields: { weights, norm }, arrays }) => [weights, norm, arrays.calibration?.length]);
  expect(looks).toEqual(
    [0, 1, 2].flatMap(() => [
      ["last", "running", undefined],
      ["averaged", "reestimated", 24],
      ["last", "reestimated", 24],
    ]),
  );
  expect(
    client.sentOf("train").every(({ fields }) => fields.average?.decay === 0.9 && fields.average.fromStep === 0),
  ).toBe(true);
});

test.each([
  ["a share that is less than an update", "epochs: 3", 0.001, [0, 0, 1]],
  ["all of the run", "epochs: 3", 1, [5, 10, 15]],
  ["a budget of samples", "budget: {samples: 60}", 0.25, [0, 1, 4]],
])("the last share: %s", async (_, length, last, updates) => {
  const settings = [`arms={a: {order: shuffled, ${length}}}`, "seeds=[4]", `evaluation={averaged: {last: ${last}}}`];
  const { metrics } = await trained(settings);
  expect(metrics.map(({ averaged }) => averaged?.updates ?? 0)).toEqual(updates);
});

test.each([
  // Spent at the ends of batches, with passes of 24: 39, 54, 60, 99, 114, 120; from above 151.2 on: 159, 174, 180, 219.
  [
    "scoring passes",
    "{name: weighted, fraction: 0.5, signal: rescore, start: scored}",
    "{forwardEquivalents: 216}",
    0.3,
    [0, 0, 3, 4],
  ],
  // 5 a sample: 180 after three epochs, 205, 230; from above 207.36 on.
  ["candidates", "{name: pool, factor: 2}", "{forwardEquivalents: 216}", 0.04, [0, 0, 0, 1]],
  // 12, 17, 22, 24, … 36, and a shuffle: 41, 46, 51, 56, 60; from above 42 on.
  [
    "a shuffled last epoch",
    "{name: random-subset, fraction: 0.5, shuffledLastEpoch: true}",
    "{samples: 60}",
    0.3,
    [0, 0, 0, 4],
  ],
])("the last share of a budget goes by what is spent: %s", async (_, order, budget, last, updates) => {
  const { metrics } = await trained(budgeted(order, budget, last));
  expect(metrics.map(({ averaged }) => averaged?.updates ?? 0)).toEqual(updates);
});

test("the last share of a budget of updates is so many of them, whatever their sizes", async () => {
  const growing = "batching={name: linear, from: 2, to: 12, per: batch}";
  const { metrics } = await trained([...budgeted("shuffled", "{updates: 13}", 0.5), growing]);
  expect([metrics.at(-1)?.step, metrics.at(-1)?.averaged?.updates]).toEqual([13, 7]);
});

test("left out it is no part of the hash; both kinds, or none of them, are refused", async () => {
  const hashed = async (evaluation: string) => {
    const config = await resolved(CONFIG.replace("{ trainSample: 4 }", evaluation));
    return armHash(config.arms.frozen, config.evaluation);
  };
  expect(await hashed("{ trainSample: 4, averaged: { last: 0.25 } }")).not.toBe(await hashed("{ trainSample: 4 }"));
  for (const both of ["{ averaged: {} }", "{ averaged: { last: 0.5, decay: 0.9 } }"]) {
    const refused = await hashed(both).catch((error: unknown) => error);
    expect(`${refused}`).toContain("evaluation.averaged: expected one of last and decay");
  }
});
