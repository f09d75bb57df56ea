import { describe, expect, test } from "vitest";
import type { ArmConfig, ExperimentConfig } from "../../src/config/config.js";
import type { RunResult } from "../../src/experiment/run-result.js";
import type { EpochMetrics } from "../../src/record/epoch-metrics.js";
import type { RecordedNumber } from "../../src/record/number.js";
import { spread, summarise } from "../../src/results/summary.js";

describe("spread", () => {
  test("of 2, 4, 4, 4, 5, 5, 7, 9: mean 5, squares 32 over 7", () => {
    expect(spread([2, 4, 4, 4, 5, 5, 7, 9])).toEqual({ mean: 5, sd: Math.sqrt(32 / 7) });
  });

  test("of two values is their mean, and their distance over √2", () => {
    const { mean, sd } = spread([0.9, 0.7]) ?? {};
    expect(mean).toBeCloseTo(0.8, 15);
    expect(sd).toBeCloseTo(0.2 / Math.SQRT2, 15);
  });

  test("of one value has no standard deviation, of none is nothing", () => {
    expect(spread([3])).toEqual({ mean: 3, sd: null });
    expect(spread([])).toBeNull();
  });

  test("of equal values is 0", () => {
    expect(spread([5, 5, 5])).toEqual({ mean: 5, sd: 0 });
  });

  test("keeps its digits for close values, where a one-pass sum of squares loses them all", () => {
    const far = 1e9;
    expect(spread([far + 4, far + 7, far + 13, far + 16])?.sd).toBeCloseTo(Math.sqrt(30), 9);
  });

  test("of a value that is not finite is told as such", () => {
    expect(spread([1, Number.NaN])).toEqual({ mean: "NaN", sd: "NaN" });
    expect(spread([Number.POSITIVE_INFINITY])).toEqual({ mean: "Infinity", sd: null });
  });
});

// --- summarise

const metrics = (epoch: number, accuracy: number, loss: RecordedNumber): EpochMetrics => ({
  epoch,
  step: epoch + 1,
  batches: 1,
  samples: 1,
  scored: 0,
  batchSize: { smallest: 1, largest: 5 },
  learningRate: { first: 0.1, last: 0.1 },
  train: { loss: 9, accuracy: 0, count: 1 },
  test: { loss, accuracy, count: 10 },
  order: { distinct: 10, mostDrawn: 1, effectiveDataSize: 10 },
  orderSha256: "",
  planSha256: "",
});

const arm = { epochs: 2, order: { changesObjective: false } } as ArmConfig;
const config = {
  name: "small",
  seeds: [0, 1, 2],
  arms: { a: arm, b: { ...arm, epochs: 3 } },
} as unknown as ExperimentConfig;

const done = (seed: number, accuracy: number, loss: RecordedNumber): RunResult => ({
  arm: "a",
  seed,
  state: "done",
  metrics: [metrics(0, 0.1, 7), metrics(1, accuracy, loss)],
});

test("is over the last epoch of the runs that came to it; the others are counted, with their reason", () => {
  const results: RunResult[] = [
    done(0, 0.5, 1),
    done(1, 0.75, 3),
    { arm: "a", seed: 2, state: "diverged", divergedAtStep: 4, metrics: [metrics(0, 1, 0)] },
    { arm: "b", seed: 0, state: "failed", error: "no memory", metrics: [] },
  ];
  expect(summarise(config, results, "runs/x")).toEqual({
    name: "small",
    directory: "runs/x",
    seeds: [0, 1, 2],
    arms: [
      {
        arm: "a",
        epochs: 2,
        changesObjective: false,
        done: 2,
        diverged: 1,
        failed: 0,
        missing: [],
        samplesTrained: 2,
        testAccuracy: { mean: 0.625, sd: Math.sqrt(2 * 0.125 ** 2) },
        testLoss: { mean: 2, sd: Math.SQRT2 },
        runs: [
          { seed: 0, state: "done", epochs: 2, test: { loss: 1, accuracy: 0.5, count: 10 } },
          { seed: 1, state: "done", epochs: 2, test: { loss: 3, accuracy: 0.75, count: 10 } },
          { seed: 2, state: "diverged", epochs: 1, test: { loss: 0, accuracy: 1, count: 10 }, divergedAtStep: 4 },
        ],
      },
      {
        arm: "b",
        epochs: 3,
        changesObjective: false,
        done: 0,
        diverged: 0,
        failed: 1,
        missing: [1, 2],
        samplesTrained: null,
        testAccuracy: null,
        testLoss: null,
        runs: [{ seed: 0, state: "failed", epochs: 0, test: undefined, error: "no memory" }],
      },
    ],
  });
});

test("a done run whose test loss is NaN is not dropped from the mean in silence", () => {
  const { arms } = summarise(config, [done(0, 0.5, 1), done(1, 0.5, "NaN")], "x");
  expect(arms[0]).toMatchObject({ done: 2, testLoss: { mean: "NaN", sd: "NaN" } });
});
