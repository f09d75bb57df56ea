import { expect, test } from "vitest";
import { noiseDrawnBy } from "../../src/results/label-noise.js";
import type { TimedRun } from "../../src/results/recorded-experiment.js";
import { summarise } from "../../src/results/summary.js";
import { renderTable } from "../../src/results/table.js";
import { asking, findingsOf, run } from "./made-runs.js";

/** A run at whose end so many of the draws were of wrong labels. */
function noisy(arm: string, seed: number, drawn: number): TimedRun {
  const made = run(arm, seed, { test: [0.5, 0.6] });
  const noise = { share: 0.2, drawn, mostDrawn: 2 * drawn };
  return { ...made, metrics: made.metrics.map((line) => ({ ...line, labelNoise: noise })) };
}

test("of each arm, over the seeds that are done: how many there are, and how many of them were drawn", () => {
  const runs = [noisy("hard", 0, 0.3), noisy("hard", 1, 0.4), { ...noisy("hard", 2, 0.9), state: "failed" as const }];
  expect(noiseDrawnBy(runs)).toMatchObject({ share: { mean: 0.2, sd: 0 }, mostDrawn: { mean: 0.7 } });
  expect(noiseDrawnBy(runs)?.drawn.mean).toBeCloseTo(0.35, 12);
  expect(noiseDrawnBy([run("clean", 0, { test: [0.5] })])).toBeUndefined();
});

test("the table has a row for each arm that trained on wrong labels", async () => {
  const runs = [run("shuffled", 0, { test: [0.5] }), noisy("hard", 0, 0.3)];
  const table = renderTable(summarise(asking(runs), runs, "."), await findingsOf(runs));
  expect(table).toContain("Wrong labels (dataset.labelNoise), % of samples");
  expect(table.split("\n").filter((line) => /^\| hard +\| +20\.0 /.test(line))).toHaveLength(1);
  expect(table).not.toMatch(/^\| shuffled +\| .*20\.0/m);
});
