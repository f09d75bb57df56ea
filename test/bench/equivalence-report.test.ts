// What `npm run bench -- equivalence` holds against what, and what it says of it.
import { describe, expect, test } from "vitest";
import { pairingsOf, type Training, trainingsOf, verdictOf } from "../../bench/equivalence/report.mjs";
import type { ArmSummary } from "../../src/record/summary-document.js";

const training = (arm: string, fast: boolean): Training => ({ arm, fast, accuracies: { 0: 0.9, 1: 0.91 } });
const equivalence = { margin: 0.003, interval: { low: -0.001, high: 0.001 }, p: 0.01, holm: 0.02 };

describe("pairs", () => {
  const names = (...trained: Training[]) => pairingsOf(trained, 0.003).map(({ name }) => name);

  test("on a CPU: each precision with float32", () => {
    expect(names(training("float32", true), training("bfloat16", true))).toEqual(["bfloat16 − float32"]);
  });

  test("on a GPU each arm with itself without recorded steps, too; all planned together", () => {
    const arms = ["float32", "bfloat16"];
    const trained = [true, false].flatMap((fast) => arms.map((arm) => training(arm, fast)));
    expect(names(...trained)).toEqual([
      "bfloat16 − float32",
      "float32 − float32, fast: false",
      "bfloat16 − bfloat16, fast: false",
    ]);
    const families = pairingsOf(trained, 0.003).map(({ family, margin }) => ({ family, margin }));
    expect(new Set(families.map((one) => JSON.stringify(one))).size).toBe(1);
  });
});

test("accuracies are by seed, and a run that did not come to its end has none", () => {
  const arm: ArmSummary = {
    ...{ arm: "float32", epochs: 5, changesObjective: false, done: 1, diverged: 1, failed: 0, missing: [] },
    ...{ samplesTrained: null, testAccuracy: null, testLoss: null },
    runs: [
      { seed: 0, state: "done", epochs: 5, test: { loss: 0.1, accuracy: 0.97, count: 10_000 } },
      { seed: 7, state: "diverged", epochs: 1, test: { loss: 9, accuracy: 0.1, count: 10_000 }, divergedAtStep: 3 },
    ],
  };
  expect(trainingsOf({ arms: [arm] }, true)).toEqual([
    { arm: "float32", fast: true, accuracies: { 0: 0.97, 7: null } },
  ]);
});

test("equivalent is what the corrected p shows; equal accuracies need no test; else it is said why there is none", () => {
  const found = { n: 12, mean: 0, lack: null, equivalence };
  expect(verdictOf(found)).toBe("equivalent");
  expect(verdictOf({ ...found, equivalence: { ...equivalence, holm: 0.05 } })).toBe("not shown");
  expect(verdictOf({ ...found, lack: "equal differences", equivalence: null })).toBe("the same with all 12 seeds");
  expect(verdictOf({ ...found, mean: 0.1, lack: "equal differences", equivalence: null })).toBe(
    "not tested: equal differences",
  );
});
