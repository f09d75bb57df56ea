import { expect, test } from "vitest";
import type { Tune } from "../../src/config/tune.js";
import { chooseRates } from "../../src/experiment/tuning/choose-rates.js";
import type { MeasureKind } from "../../src/record/measure-kinds.js";
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

function chosen(ran: Readonly<Record<number, Ran>>, measure: MeasureKind = "accuracy") {
  const results = Object.entries(ran).flatMap(([rate, seeds]) =>
    seeds.map((values, seed) => {
      const arm = `a-lr${rate}`;
      if (values === "diverged") return run(arm, seed, { test: [], state: "diverged" });
      const made = run(arm, seed, { test: [0, 0], validation: [...values] });
      const metrics = made.metrics.map((line, epoch) => ({
        ...line,
        test: undefined,
        validation: { accuracy: values[epoch], loss: 3 - values[epoch], count: 50 },
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
