// What whole runs cost against the baseline's, by hand.
import { expect, test } from "vitest";
import { BACKWARD_IN_FORWARDS, forwardEquivalents } from "../../src/record/work.js";
import { whole, within } from "../../src/results/layout.js";
import { makeFindings } from "../../src/results/make-findings.js";
import { measure } from "../../src/results/measures.js";
import type { PlannedArm } from "../../src/results/planned-experiment.js";
import type { TimedRun } from "../../src/results/recorded-experiment.js";
import { savingTables } from "../../src/results/saving-table.js";
import { summarise } from "../../src/results/summary.js";
import { renderTable } from "../../src/results/table.js";
import { asking, run } from "./made-runs.js";

const arm = (order: Partial<PlannedArm["order"]>, epochs = 2): PlannedArm => ({
  epochs,
  order: { changesObjective: false, ...order },
});

const ARMS = {
  shuffled: arm({ name: "shuffled" }),
  half: arm({ name: "random-subset", options: { fraction: 0.5 } }),
  scored: arm({ name: "weighted", options: { fraction: 0.7 } }),
  long: arm({ name: "shuffled" }, 4),
  own: arm({ name: "mine", file: { path: "mine.mjs" } }),
};

const two = (name: string, seed: number, samples: number, scored = 0): TimedRun =>
  run(name, seed, { test: [0.5, 0.9], samples, scored });

/** Seconds are 2 an epoch in all of them. */
const RUNS: readonly TimedRun[] = [0, 1].flatMap((seed) => [
  two("shuffled", seed, 100),
  two("half", seed, 50),
  two("scored", seed, 70 + 10 * seed, 100),
  run("long", seed, { test: [0.5, 0.6, 0.7, 0.9], scored: 0 }),
  two("own", seed, 25),
]);

const findingsOf = (runs: readonly TimedRun[]) =>
  makeFindings(measure(asking(runs, { arms: ARMS }), runs), "no statistics", runs);

const one = (value: number) => ({ mean: value, smallest: value, largest: value });

test("a pass back counts as two forward: a sample trained on is 3, one scored 1", () => {
  expect(BACKWARD_IN_FORWARDS).toBe(2);
  expect(forwardEquivalents({ samples: 10, scored: 4 })).toBe(34);
});

test("each arm has its ratios to the baseline's run of the same seed, beside what its order promises", () => {
  const { arms } = findingsOf(RUNS);
  const savings = Object.fromEntries(arms.map(({ arm, saving }) => [arm, saving]));
  expect(savings.shuffled).toBeNull();
  expect(savings.half).toEqual({
    pairs: 2,
    promised: 0.5,
    forward: one(0.5),
    backward: one(0.5),
    forwardEquivalents: one(0.5),
    seconds: one(1),
  });
  // 140 and 160 of 200 trained on, 200 scored: forward 340/200 and 360/200, in all (3·140 + 200)/600 and (3·160 + 200)/600
  expect(savings.scored).toMatchObject({
    promised: 0.7,
    forward: { mean: expect.closeTo(1.75, 12), smallest: 1.7, largest: 1.8 },
    backward: { mean: expect.closeTo(0.75, 12), smallest: 0.7, largest: 0.8 },
    forwardEquivalents: { smallest: expect.closeTo(620 / 600, 12), largest: expect.closeTo(680 / 600, 12) },
  });
  expect(savings.long).toMatchObject({ promised: 2, backward: one(2), seconds: one(2) });
  expect(savings.own).toMatchObject({ promised: null, backward: one(0.25) });
});

test("a run that is not done is in no pair, and seconds are those of whole runs alone", () => {
  const diverged = RUNS.map((one) =>
    one.arm === "half" && one.seed === 0 ? { ...one, state: "diverged" as const } : one,
  );
  expect(findingsOf(diverged).arms[1].saving?.pairs).toBe(1);
  const untimed = RUNS.map((one) => (one.arm === "half" ? { ...one, timings: one.timings.slice(1) } : one));
  expect(findingsOf(untimed).arms[1].saving?.seconds).toBeNull();
  expect(findingsOf(RUNS.filter(({ arm }) => arm !== "shuffled")).arms[1].saving).toBeNull();
});

test("evaluations are no part of the seconds, however many there are", () => {
  const secondsOf = (evaluating: number) => {
    const timed = RUNS.map((one) => {
      const training = one.arm === "half" ? 1 : 2;
      const taken = { trainingSeconds: training, evaluatingSeconds: evaluating, totalSeconds: training + evaluating };
      return { ...one, timings: one.timings.map((line) => ({ ...line, ...taken })) };
    });
    return findingsOf(timed).arms[1].saving?.seconds;
  };
  expect(secondsOf(0)).toEqual(one(0.5));
  expect(secondsOf(64)).toEqual(one(0.5));
});

test("nothing is promised where the two have other numbers of eligible samples, or a budget", () => {
  const promisedOf = (dataset: PlannedArm["dataset"], theirs: PlannedArm["dataset"] = { subset: 256 }) => {
    const arms = { shuffled: { ...ARMS.shuffled, dataset: theirs }, half: { ...ARMS.half, dataset } };
    return measure(asking(RUNS, { arms }), RUNS).arms[1].saving?.promised;
  };
  expect(promisedOf({ subset: 256, subsetSeed: "run", labelNoise: { fraction: 0.1, seed: 0 } })).toBe(0.5);
  expect(promisedOf({ subset: 512 })).toBeNull();
  const half = { subset: 256, part: "a" };
  expect(promisedOf(half)).toBeNull();
  expect(promisedOf(half, half)).toBe(0.5);
});

test("a column of nothing promised is left out", () => {
  const budget = { samples: 100 };
  const arms = { shuffled: { ...ARMS.shuffled, budget, epochs: undefined }, half: { ...ARMS.half, budget } };
  const [section] = savingTables(makeFindings(measure(asking(RUNS, { arms }), RUNS), "no statistics", RUNS), whole);
  expect(section).not.toContain("promised");
  expect(section).toMatch(/\| arm +\| backward/);
});

test("the table has them, and none where all arms cost alike", () => {
  const findings = findingsOf(RUNS);
  const table = renderTable(summarise(asking(RUNS, { arms: ARMS }), RUNS, ""), findings);
  const [section] = savingTables(findings, whole);
  expect(table).toContain(section);
  expect(section).toMatchInlineSnapshot(`
    "Realised saving: what whole runs cost as a share of what those of shuffled cost, mean over seeds (least to most)

    | arm    | promised |               backward |                forward |    forward-equivalents | seconds |
    | ------ | -------: | ---------------------: | ---------------------: | ---------------------: | ------: |
    | half   |    0.500 |                  0.500 |                  0.500 |                  0.500 |   1.000 |
    | scored |    0.700 | 0.750 (0.700 to 0.800) | 1.750 (1.700 to 1.800) | 1.083 (1.033 to 1.133) |   1.000 |
    | long   |    2.000 |                  2.000 |                  2.000 |                  2.000 |   2.000 |
    | own    |        – |                  0.250 |                  0.250 |                  0.250 |   1.000 |

    promised: samples to train on as the order declares them; backward: samples trained on; forward: samples trained on or scored; forward-equivalents: a backward pass as 2 forward ones, by convention (arXiv 2001.08361); seconds: as measured, without evaluation
    "
  `);
  expect(savingTables(findings, within(60))[0]).toContain("forward-equivalents");
  const alike = RUNS.filter(({ arm }) => arm === "shuffled").flatMap((one) => [one, { ...one, arm: "half" }]);
  expect(renderTable(summarise(asking(alike, { arms: ARMS }), alike, ""), findingsOf(alike))).not.toContain("Realised");
});
