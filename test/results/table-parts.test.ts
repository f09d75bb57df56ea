// The table's parts on comparisons and costs, of made-up runs.
import { beforeEach, expect, test } from "vitest";
import { comparisonTables } from "../../src/results/comparison-table.js";
import { costTables } from "../../src/results/cost-table.js";
import { whole, within } from "../../src/results/layout.js";
import { summarise } from "../../src/results/summary.js";
import { lossText } from "../../src/results/summary-text.js";
import { renderTable } from "../../src/results/table.js";
import { isPythonMissing } from "../warm-python/missing.js";
import { asking, findingsOf, planned, run, runs } from "./made-runs.js";

beforeEach(({ skip }) => skip(isPythonMissing, "no Python for the statistics"));

test("costs: means with intervals, or medians with how many never reach the target, and where seconds go", async () => {
  const of = (arm: string, seed: number, ...accuracies: number[]) => run(arm, seed, { test: accuracies });
  const all = [
    ...[0, 1, 2].map((seed) => of("shuffled", seed, 0.5, 0.9, 0.9, 0.9)),
    // 4, 4 and 3 epochs: mean 3.67, half of the interval 4.303 × 0.577 / √3 = 1.434; 2 seconds an epoch
    ...[0.7, 0.8, 0.9].map((third, seed) => of("slow", seed, 0.5, 0.6, third, 0.95)),
    ...[0.9, 0.95, 0.7].map((last, seed) => of("odd", seed, 0.5, 0.6, 0.7, last)),
    { ...of("running", 0, 0.5), state: "running" as const },
  ];
  expect(costTables(await findingsOf(all, { targetAccuracy: 0.9 }), whole).join("\n")).toMatchInlineSnapshot(`
    "Cost to reach 90.00 % test accuracy (targetAccuracy): mean over seeds (least to most)

    | arm      |           reached |           epochs | 1000 samples trained on | 1000 scored |          seconds |
    | -------- | ----------------: | ---------------: | ----------------------: | ----------: | ---------------: |
    | shuffled |            3 of 3 |              2.0 |                     0.2 |         0.0 |              4.0 |
    | slow     |            3 of 3 | 3.7 (3.0 to 4.0) |        0.4 (0.3 to 0.4) |         0.0 | 7.3 (6.0 to 8.0) |
    | odd      |   2 of 3, 1 never |       median 4.0 |              median 0.4 |  median 0.0 |       median 8.0 |
    | running  | 0 of 1, 1 not yet |                – |                       – |           – |                – |

    Where these seconds go, and their sum: mean over the runs that reached it

    | arm      | training | scoring | evaluating | wire | waiting |  sum | ordering |
    | -------- | -------: | ------: | ---------: | ---: | ------: | ---: | -------: |
    | shuffled |     2.00 |    0.50 |       1.00 | 0.13 |    0.13 | 4.00 |     0.25 |
    | slow     |     3.67 |    0.92 |       1.83 | 0.23 |    0.23 | 7.33 |     0.46 |
    | odd      |     4.00 |    1.00 |       2.00 | 0.25 |    0.25 | 8.00 |     0.50 |

    ordering: making orders, within the waiting or while the backend evaluates; it is no part of the sum
    "
  `);
});

const failed = (arm: string, seed: number, ...accuracies: number[]) =>
  run(arm, seed, { test: accuracies, state: "failed" });

test("costs: a run that failed is no result, and is counted as such alone", async () => {
  const all = [
    ...runs("shuffled", 0.9, 0.9),
    failed("thrown", 0),
    run("half", 0, { test: [0.9] }),
    failed("half", 1, 0.95, 0.95),
  ];
  const { notes, ...findings } = await findingsOf(all, { targetAccuracy: 0.9 });
  const [costs] = costTables({ notes, ...findings }, whole);
  expect(costs).toMatch(/\| shuffled \| +2 of 2 \| +1\.0 \|/);
  expect(costs).toMatch(/\| thrown +\| +1 failed \| +– \|/);
  expect(costs).toMatch(/\| half +\| 1 of 1, 1 failed \| +1\.0 \|/);
  expect(notes.join()).not.toContain("never reach");
});

test.each([60, 80, 120, 200])("costs in %d columns: what is split is shown above, or is named anew", async (width) => {
  const arm = (name: string) =>
    [0, 1, 2].map((seed) => run(name, seed, { test: seed === 1 ? [0.5, 0.9] : [0.9, 0.9] }));
  const all = [...arm("shuffled"), ...arm("a-long-name-of-an-arm"), ...runs("torn", 0.1, 0.9, 0.2)];
  const [costs, split] = costTables(await findingsOf(all, { targetAccuracy: 0.9 }), within(width));
  const hasSeconds = / seconds \|/.test(costs);
  expect(hasSeconds).toBe(width >= 120);
  expect(split.split("\n")[0]).toMatch(hasSeconds ? /^Where these seconds go/ : /^Seconds to reach it, where they go/);
  expect(/^ordering: /m.test(split)).toBe(/ ordering \|/.test(split));
  expect(split).not.toContain("torn"); // whose cost is unknown: two of three never reach it
  expect(split.replace(/\s+/g, " ")).toContain(
    "and their sum: mean over the runs that reached it, of arms where more than half did",
  );
});

test("costs: none known, no split; medians alone are named so", async () => {
  const shuffled = runs("shuffled", 0.9, 0.5, 0.5);
  const unknown = costTables(await findingsOf([...shuffled, ...runs("a", 0.1)], { targetAccuracy: 0.9 }), whole);
  expect(unknown).toHaveLength(1);
  expect(unknown[0]).toMatch(/^Cost to reach 90\.00 % test accuracy \(targetAccuracy\)\n/); // of nothing that is shown
  const medians = costTables(
    await findingsOf([...shuffled, ...runs("a", 0.9, 0.9, 0.5)], { targetAccuracy: 0.9 }),
    whole,
  );
  expect(medians[0]).toMatch(/^Cost to reach 90\.00 % test accuracy \(targetAccuracy\): median over seeds\n/);
  expect(medians[0]).toContain("median 1.0");
});

test("no target, no costs", async () => {
  expect(costTables(await findingsOf(runs("a", 0.5)), whole)).toEqual([]);
});

test("planned comparisons have a verdict, the others and losses stand apart, uncorrected; ten pairs have a bootstrap interval", async () => {
  const many = (arm: string, of: (seed: number) => number) =>
    runs(arm, ...Array.from({ length: 10 }, (_, at) => of(at)));
  const all = [
    ...many("shuffled", () => 0.9),
    ...many("worse", (seed) => 0.88 + seed / 1000),
    ...many("level", () => 0.9),
    ...many("other", (seed) => 0.88 + seed / 1000),
  ];
  const tables = comparisonTables(await findingsOf(all, { comparisons: planned("shuffled", "worse", "level") }), whole);
  const lines = tables.map((table) => table.split("\n"));
  expect(lines.map(([title]) => title)).toEqual([
    "Differences in test accuracy, points, seed by seed",
    "Exploratory, p as it is, nothing claimed: differences in test accuracy, points, seed by seed",
    "Descriptive, nothing claimed: differences in test loss, seed by seed",
  ]);
  // -2 … -1.1 points: mean -1.55, sd 0.30277; half of the interval 2.2622 × 0.30277 / √10 = 0.2166;
  // p of Wilcoxon 2/1024, twice that over two comparisons; no d_z: shuffled's values are all equal
  const cellsOf = (line: string) => line.split(" | ").map((cell) => cell.replace(/[|]/g, "").trim());
  expect(lines[0].slice(2, 6).map(cellsOf)).toEqual([
    ["difference", "pairs", "mean", "95 % interval", "95 % BCa", "p, Holm", "p (signed rank, Holm)", "verdict"],
    expect.anything(),
    [
      "worse − shuffled",
      "10",
      "−1.55",
      "−1.77 to −1.33",
      expect.stringMatching(/^−1\.7\d to −1\.3\d$/),
      "< 0.0001",
      "0.0039",
      "worse",
    ],
    ["level − shuffled", "10", "0.00", "–", "–", "–", "–", "no test"],
  ]);
  expect(lines[1][2]).not.toContain("verdict");
  expect(lines[1][2]).toMatch(/\| +p \| p \(signed rank\) \|$/);
  expect(lines[1][4]).toMatch(/0\.0020 \|$/);
  expect(lines[2][2]).not.toMatch(/\| p |verdict/);
});

test("the primary measure has the tests, the other one is descriptive", async () => {
  const all = [...runs("shuffled", 0.9, 0.91, 0.92), ...runs("worse", 0.88, 0.9, 0.9), ...runs("other", 0.8, 0.7, 0.9)];
  const found = await findingsOf(all, { primary: "loss", comparisons: planned("shuffled", "worse") });
  const lines = comparisonTables(found, whole).map((table) => table.split("\n"));
  expect(lines.map(([title]) => title.replace(/ \(d_z.*/, ""))).toEqual([
    "Differences in test loss, seed by seed",
    "Exploratory, p as it is, nothing claimed: differences in test loss, seed by seed",
    "Descriptive, nothing claimed: differences in test accuracy, points, seed by seed",
  ]);
  expect(lines[0][2]).toMatch(/\| +p \| +verdict \|$/);
  expect(lines[0][4]).toMatch(/^\| worse − shuffled \| +3 \| \+0\.0167 \|/); // 1 - accuracy: 0.02, 0.01, 0.02
  expect(lines[2][4]).toMatch(/^\| worse − shuffled \| +3 \| +−1\.67 \|/);
  expect(lines[2][2]).not.toMatch(/\| p |verdict/);
});

test("runs that diverged: the ranks carry the claim, how often has a table of its own, no loss is of survivors", async () => {
  const torn = run("torn", 3, { test: [], state: "diverged" });
  const all = [...runs("shuffled", 0.9, 0.91, 0.92, 0.93), ...runs("torn", 0.91, 0.925, 0.93), torn];
  const [accuracy, divergence, loss] = comparisonTables(await findingsOf(all), whole);
  expect(accuracy).toMatch(/\| torn − shuffled \| 4, 3 finished \| +– \| +– \| +– \| too few seeds \|/);
  expect(divergence).toMatch(/^How often runs diverged: a test of its own \(p after/);
  expect(divergence).toMatch(/\| torn − shuffled \| +1 of 4 \| +0 of 4 \| +1 \| undecided \|/);
  expect(loss).toMatch(/\| torn − shuffled \| 4, 3 finished \| +– \| +– \|/);
});

test("runs that diverged, six and three seeds: p of the ranks and of Fisher's test where they can show anything", async () => {
  const torn = (seeds: number) => [
    ...runs("shuffled", ...[0.9, 0.91, 0.92, 0.93, 0.94, 0.95].slice(0, seeds)),
    ...Array.from({ length: seeds }, (_, seed) => run("torn", seed, { test: [], state: "diverged" })),
  ];
  const [accuracy, divergence] = comparisonTables(await findingsOf(torn(6)), whole);
  expect(accuracy).toMatch(/\| 6, 0 finished \| +– \| +– \| 0\.031 \(ranks\) \| +worse \|/); // 2/64, the last of two
  expect(divergence).toMatch(/\| +6 of 6 \| 0 of 6 \| +0\.0043 \| more often \|/); // 2 · 2/924
  const [few, howOften] = comparisonTables(await findingsOf(torn(3)), whole);
  expect(few).toMatch(/\| 3, 0 finished \| +– \| +– \| +– \| too few seeds \|/);
  expect(howOften).toMatch(/^How often runs diverged\n/);
  expect(howOften).toMatch(/\| +3 of 3 \| 0 of 3 \| +– \| too few seeds \|/);
});

test("with a validation split the arms' table has the test accuracy at the epoch that it would choose", async () => {
  const validation = [0.5, 0.7, 0.6];
  const all = [0, 1].map((seed) => run("shuffled", seed, { test: [0.1, 0.6 + 0.2 * seed, 0.9], validation }));
  const table = renderTable(summarise(asking(all), all, ""), await findingsOf(all));
  const [header, , row] = table.split("\n").slice(2);
  expect(header).toMatch(/\| at best validation epoch, % \|$/);
  expect(row).toMatch(/\| +70\.00 ± 14\.14 \(epoch 2\.0\) \|$/);
});

test("a mean names the seeds that it is of, and an interrupted run is no failed one", async () => {
  const unfinished = { ...run("hardest", 0, { test: [0.5] }), state: "interrupted" as const, error: "interrupted" };
  const all = [unfinished, ...[1, 2].map((seed) => run("hardest", seed, { test: [0.9] }))];
  const table = renderTable(summarise(asking(all), all, ""), await findingsOf(all));
  expect(table).toMatch(/mean ± sd over seeds 1, 2\n/);
  expect(table).toContain("2 of 3, 1 unfinished");
  expect(table).toContain("hardest, seed 0 was interrupted\n");
});

test("a loss that explodes is told by its size", () => {
  expect([0.12345, 999999, 3.4579306105903587e24].map(lossText)).toEqual(["0.1235", "999999.0000", "3.4579e+24"]);
});
