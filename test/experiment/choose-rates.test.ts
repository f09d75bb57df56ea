import { describe, expect, test } from "vitest";
import type { Tune } from "../../src/config/tune.js";
import { chooseRates } from "../../src/experiment/tuning/choose-rates.js";
import { rivalOf } from "../../src/experiment/tuning/rank-trials.js";
import type { MeasureKind } from "../../src/record/measure-kinds.js";
import type { Trial } from "../../src/record/tuning-record.js";
import { run } from "../results/made-runs.js";
import { resolved } from "./scene.js";

const config = await resolved(`name: x
dataset: digits
model: mnist-cnn
optimizer: sgd
schedule: constant
batching: { name: constant, size: 5 }
epochs: 2
seeds: 1
tune: { learningRate: [0.1, 0.2, 0.4] }
arms: { a: { order: shuffled } }
`);

/** By rate: of each seed the accuracy on the held-out part in its two epochs, or that it diverged. */
type Ran = readonly (readonly [first: number, last: number] | "diverged")[];

function chosen(
  ran: Readonly<Record<number, Ran>>,
  measure: MeasureKind = "accuracy",
  { count = 50, losses = {} }: { readonly count?: number; readonly losses?: Readonly<Record<number, number>> } = {},
) {
  const results = Object.entries(ran).flatMap(([rate, seeds]) =>
    seeds.map((values, seed) => {
      const arm = `a-lr${rate}`;
      if (values === "diverged") return run(arm, seed, { test: [], state: "diverged" });
      const made = run(arm, seed, { test: [0, 0], validation: [...values] });
      const metrics = made.metrics.map((line, epoch) => ({
        ...line,
        test: undefined,
        validation: { accuracy: values[epoch], loss: losses[Number(rate)] ?? 3 - values[epoch], count },
      }));
      return { ...made, metrics };
    }),
  );
  const tune: Tune = { learningRate: Object.keys(ran).map(Number), seeds: 2, validation: 0.1, measure };
  return chooseRates(config, tune, results).arms[0];
}

test("the best mean after the last epoch, whatever came before, and whatever a single seed had", () => {
  const ran: Record<number, Ran> = {
    0.1: [
      [0.9, 0.5],
      [0.9, 0.5],
    ],
    0.2: [
      [0.1, 0.6],
      [0.1, 0.7],
    ],
    0.4: [
      [0.1, 0.9],
      [0.1, 0.3],
    ],
  };
  const { rate, end, trials, cost } = chosen(ran);
  expect([rate, end]).toEqual([0.2, undefined]);
  expect(trials[1].mean).toBeCloseTo(0.65, 12);
  expect(trials[1].sd).toBeCloseTo(Math.SQRT1_2 / 10, 12);
  expect(cost).toEqual({ runs: 6, samples: 1200, scored: 120 });
  expect(chosen(ran, "loss").rate, "loss is lower where accuracy is higher").toBe(0.2);
});

test("of equal means the lower rate; one at an end of the list is said to be", () => {
  const equal: Ran = [
    [0, 0.5],
    [0, 0.5],
  ];
  expect(chosen({ 0.1: equal, 0.2: equal, 0.4: equal })).toMatchObject({ rate: 0.1, end: "lowest" });
  const worse: Ran = [
    [0, 0.25],
    [0, 0.5],
  ];
  expect(chosen({ 0.1: worse, 0.2: worse, 0.4: equal })).toMatchObject({ rate: 0.4, end: "highest" });
});

test("means of as many right answers are equal, whichever runs have them, and then the lower loss is better", () => {
  const right = (...counts: readonly number[]): Ran => counts.map((count) => [0, count / 287]);
  const unequal: [Ran, Ran] = [right(265, 267, 266), right(266, 266, 266)];
  const [first, other] = unequal.map((ran) => ran.reduce((sum, run) => sum + (run === "diverged" ? 0 : run[1]), 0));
  expect(first, "sums of rounded shares differ").not.toBe(other);
  for (const [low, high] of [unequal, [...unequal].reverse()]) {
    const alike = { 0.1: 0.3, 0.2: 0.3 };
    expect(chosen({ 0.1: low, 0.2: high }, "accuracy", { count: 287, losses: alike })).toMatchObject({ rate: 0.1 });
    const losses = { 0.1: 0.3, 0.2: 0.2 };
    expect(chosen({ 0.1: low, 0.2: high }, "accuracy", { count: 287, losses })).toMatchObject({ rate: 0.2 });
  }
  const best = chosen({ 0.1: right(265, 266, 266), 0.2: right(266, 266, 266) }, "accuracy", {
    count: 287,
    losses: { 0.2: 9 },
  });
  expect(best, "one answer more").toMatchObject({ rate: 0.2 });
  const losses: [Ran, Ran] = [right(30, 20, 10), right(10, 20, 30)];
  expect(chosen({ 0.1: losses[0], 0.2: losses[1] }, "loss", { count: 287 })).toMatchObject({ rate: 0.1 });
  expect(chosen({ 0.1: losses[1], 0.2: losses[0] }, "loss", { count: 287 })).toMatchObject({ rate: 0.1 });
});

describe("a rate that others may replace", () => {
  const trial = (rate: number, mean: number, sd: number | null = 0.03, diverged = 0): Trial => ({
    rate,
    values: Array.from({ length: 9 }, (_, seed) => ({ seed, value: mean })),
    ...{ mean, sd, diverged },
  });

  test("is the second best, where it is less than two standard errors of the difference behind", () => {
    const near = rivalOf({ rate: 0.2, trials: [trial(0.1, 0.9), trial(0.2, 0.95), trial(0.4, 0.925)] }, "accuracy");
    expect(near).toMatchObject({ rate: 0.4 });
    expect([near?.difference, near?.standardError].map((value) => value?.toFixed(6))).toEqual(["0.025000", "0.014142"]);
    expect(rivalOf({ rate: 0.2, trials: [trial(0.2, 0.95), trial(0.4, 0.92)] }, "accuracy")).toBeUndefined();
    expect(rivalOf({ rate: 0.2, trials: [trial(0.2, 0.5), trial(0.4, 0.51)] }, "loss")).toMatchObject({ rate: 0.4 });
  });

  test("is none that diverges more often, none where nothing is chosen, and any of one run each", () => {
    const trials = [trial(0.2, 0.95), trial(0.4, 0.95, 0.03, 1)];
    expect(rivalOf({ rate: 0.2, trials }, "accuracy")).toBeUndefined();
    expect(rivalOf({ rate: null, trials }, "accuracy")).toBeUndefined();
    const single = [trial(0.2, 0.95, null), trial(0.4, 0.5, null)];
    expect(rivalOf({ rate: 0.2, trials: single }, "accuracy")).toMatchObject({ rate: 0.4, standardError: null });
    const equal = [trial(0.2, 0.95, 0), trial(0.4, 0.95, 0)];
    expect(rivalOf({ rate: 0.2, trials: equal }, "accuracy")).toMatchObject({ rate: 0.4, difference: 0 });
  });
});

test("fewer runs that diverged come before a better mean of those that did not", () => {
  const poor: Ran = [
    [0, 0.25],
    [0, 0.25],
  ];
  expect(chosen({ 0.1: poor, 0.2: [[0, 0.9], "diverged"] })).toMatchObject({ rate: 0.1 });
  expect(chosen({ 0.1: ["diverged", "diverged"], 0.2: [[0, 0.9], "diverged"] })).toMatchObject({ rate: 0.2 });
  const none = chosen({ 0.1: ["diverged", "diverged"], 0.2: ["diverged", "diverged"] });
  expect(none).toMatchObject({ rate: null, lack: expect.stringContaining("every run diverged at each of 0.1, 0.2") });
  expect(none.trials[0].values.map(({ value }) => value)).toEqual([null, null]);
});
