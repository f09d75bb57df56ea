import { expect, test } from "vitest";
import { EPOCHS, lineOf } from "../../src/page/curves.js";
import { lookOf } from "../../src/page/looks.js";
import { recencyTable } from "../../src/page/recency.js";
import type { EpochMetrics } from "../../src/record/epoch-metrics.js";
import { averagedWeightsOf, withinLastEpochOf } from "../../src/results/recency.js";
import type { TimedRun } from "../../src/results/recorded-experiment.js";
import { summarise } from "../../src/results/summary.js";
import { renderTable } from "../../src/results/table.js";
import { asking, findingsOf, run } from "./made-runs.js";

/** A run whose epochs of 100 samples had these test accuracies after 25 and 50 of them. */
function lookedAt(arm: string, seed: number, before: readonly [number, number], test: readonly number[]): TimedRun {
  const made = run(arm, seed, { test });
  const within = before.map((accuracy, at) => ({
    ...{ step: at, samples: 25 * (at + 1) },
    test: { loss: 1, accuracy, count: 1000 },
  }));
  return { ...made, metrics: made.metrics.map((line) => ({ ...line, within })) };
}

const HARD = [lookedAt("hard", 0, [0.5, 0.7], [0.3, 0.4]), lookedAt("hard", 1, [0.6, 0.6], [0.3, 0.5])];

test("of the last epoch, over the seeds that are done: how its end differs from what came before", () => {
  const found = withinLastEpochOf([...HARD, { ...lookedAt("hard", 2, [1, 1], [0]), state: "diverged" }]);
  expect(found?.before.mean).toBeCloseTo(0.6, 12);
  expect(found?.rise.mean).toBeCloseTo((-0.2 - 0.1) / 2, 12);
  expect(found?.range.mean).toBeCloseTo((0.3 + 0.1) / 2, 12);
  expect(found?.rise.sd).toBeCloseTo(0.1 / Math.SQRT2, 12);
  expect(withinLastEpochOf([run("plain", 0, { test: [0.5] })])).toBeUndefined();
});

test("the table has a row for each arm that was evaluated within its last epoch", async () => {
  const runs = [run("shuffled", 0, { test: [0.5] }), ...HARD];
  const table = renderTable(summarise(asking(runs), runs, "."), await findingsOf(runs));
  expect(table).toContain("Recency: test accuracy within the last epoch");
  expect(table).toMatch(/^\| hard +\| +60\.00 ± 0\.00 \| +−15\.00 ± 7\.07 \| +20\.00 ± 14\.14 \|$/m);
  expect(table).not.toMatch(/^\| shuffled +\|[^|]*\|[^|]*\|[^|]*\|$/m);
});

test("a mean of the weights stands beside the last ones", async () => {
  const measured = (accuracy: number) => ({ loss: 0.25 + accuracy, accuracy, count: 1000 });
  const averaged = [0.8, 0.9].map((accuracy, seed) => {
    const made = run("hard", seed, { test: [0.5, 0.6] });
    const lines = made.metrics.map((line) => ({ ...line, averaged: { updates: 3, test: measured(accuracy) } }));
    return { ...made, metrics: lines };
  });
  const found = averagedWeightsOf(averaged);
  expect([found?.accuracy.mean, found?.gain?.mean, found?.loss.mean].map((mean) => mean?.toFixed(6))).toEqual([
    "0.850000",
    "0.250000",
    "1.100000",
  ]);
  const runs = [run("shuffled", 0, { test: [0.5] }), ...averaged];
  const findings = await findingsOf(runs);
  expect(recencyTable(findings)?.text).toContain('<td data-name="averaged − end, points">+25.00 ± 7.07</td>');
  expect(recencyTable(await findingsOf([run("shuffled", 0, { test: [0.5] })]))).toBeUndefined();
  const table = renderTable(summarise(asking(runs), runs, "."), findings);
  expect(table).toMatch(/^\| hard +\| +85\.00 ± 7\.07 \| +\+25\.00 ± 7\.07 \| +1\.1000 ± 0\.0707 \|$/m);
  expect(table).not.toContain("mean before its end");
});

test("with BatchNorm a mean is held against last weights under the same statistics; where there are none, against nothing", async () => {
  const measured = (accuracy: number) => ({ loss: 1, accuracy, count: 1000 });
  const made = run("hard", 0, { test: [0.5] });
  const withAveraged = (averaged: EpochMetrics["averaged"]) => [
    { ...made, metrics: made.metrics.map((line) => ({ ...line, batchNorm: {}, averaged })) },
  ];
  const alike = withAveraged({ updates: 3, test: measured(0.75), lastReestimated: measured(0.75) });
  expect(averagedWeightsOf(alike)?.gain?.mean).toBe(0);
  const early = withAveraged({ updates: 3, test: measured(0.75) });
  expect(averagedWeightsOf(early)?.accuracy.mean).toBe(0.75);
  expect(averagedWeightsOf(early)?.gain).toBeUndefined();
  expect(recencyTable(await findingsOf(early))?.text).toContain('<td data-name="averaged − end, points">–</td>');
});

test("a mean of losses that are no numbers is left out of the table", async () => {
  const averaged = { updates: 3, test: { loss: "NaN", accuracy: 0.75, count: 1000 } } as const;
  const runs = [0, 1].map((seed) => {
    const made = run("hard", seed, { test: [0.5] });
    return { ...made, metrics: made.metrics.map((line) => ({ ...line, averaged })) };
  });
  const table = recencyTable(await findingsOf(runs))?.text;
  expect(table).toContain('<td data-name="averaged: test loss">–</td>');
  expect(table).toContain("75.00 ± 0.00");
});

test("curves have them between the ends of epochs", () => {
  const runs = HARD.map(({ metrics, timings, state }) => ({ metrics, timings, document: { state } }));
  const { points } = lineOf({ arm: "hard", runs }, lookOf(0), { quantity: "accuracy", on: "test", cost: EPOCHS });
  expect(points.map(({ x }) => x)).toEqual([0.25, 0.5, 1, 1.25, 1.5, 2]);
  expect(points.map(({ low }) => low)).toEqual([0.5, 0.6, 0.3, 0.5, 0.6, 0.4]);
});
