import { describe, expect, test } from "vitest";
import type { BatchNormMetrics, EpochMetrics } from "../../src/record/epoch-metrics.js";
import { batchNormAlarms } from "../../src/results/batch-norm-alarm.js";

const measured = (accuracy: number) => ({ loss: 1, accuracy, count: 100 });

const TEST = (running: number, batch: number, reestimated: number): BatchNormMetrics => ({
  test: { running: measured(running), batch: measured(batch), reestimated: measured(reestimated) },
});
const OWN = (running: number, batch: number): BatchNormMetrics => ({
  ownBatches: { running: measured(running), batch: measured(batch) },
});

/** A run of two epochs, the last of which compared statistics. */
function run(seed: number, batchNorm: BatchNormMetrics | undefined) {
  const epoch: EpochMetrics = {
    epoch: 0,
    step: 1,
    batches: 1,
    samples: 1,
    scored: 0,
    batchSize: { smallest: 1, largest: 1 },
    learningRate: { first: 0.1, last: 0.1 },
    train: measured(0.5),
    order: { distinct: 1, mostDrawn: 1 },
    orderSha256: "a",
    planSha256: "b",
  };
  return { seed, metrics: [epoch, { ...epoch, epoch: 1, ...(batchNorm && { batchNorm }) }] };
}

const textsOf = (...found: readonly (BatchNormMetrics | undefined)[]) =>
  batchNormAlarms([{ arm: "homogeneous", runs: found.map((one, seed) => run(seed, one)) }]).map(({ text }) => text);

describe("an alarm", () => {
  test("where own batches are right by their own statistics alone; accuracies are means over runs", () => {
    const [text] = textsOf(OWN(0.1, 0.9), OWN(0.14, 0.96));
    expect(text).toContain("93.0 % of the training samples in its own batches");
    expect(text).toContain("12.0 % of them with the running statistics");
    expect(text).not.toContain("test images");
  });

  test("where any of the three differs from another on the test set", () => {
    const [text] = textsOf(TEST(0.1, 0.12, 0.8));
    expect(text).toContain("reaches 10.0 % on test images with running statistics, 12.0 % with those of mixed batches");
    expect(text).toContain("80.0 % with re-estimated ones");
    expect(text).not.toContain("own batches");
  });

  test("names the arm, and both findings in one sentence", () => {
    const alarms = batchNormAlarms([
      { arm: "shuffled", runs: [run(0, { ...TEST(0.9, 0.91, 0.9), ...OWN(0.95, 0.96) })] },
      { arm: "homogeneous", runs: [run(0, { ...TEST(0.1, 0.3, 0.3), ...OWN(0.1, 0.99) })] },
    ]);
    expect(alarms.map(({ arm }) => arm)).toEqual(["homogeneous"]);
    expect(alarms[0].text).toMatch(/own batches.*; reaches 10\.0 %/);
  });
});

describe("no alarm", () => {
  test.each([
    ["differences of ten points and less", [TEST(0.5, 0.59, 0.55), OWN(0.8, 0.89)]],
    ["in the mean, though one run differs by more", [OWN(0.7, 0.82), OWN(0.8, 0.8)]],
    ["runs that compared nothing", [undefined]],
    ["no runs", []],
    ["accuracies that are no numbers", [OWN(Number.NaN, 0.9)]],
  ])("for %s", (_, found) => {
    expect(textsOf(...found)).toEqual([]);
  });
});
