// The table's parts on comparisons and costs, of made-up runs.
import { expect, test } from "vitest";
import { comparisonTables } from "../../src/report/comparison-table.js";
import { costTables } from "../../src/report/cost-table.js";
import { summarise } from "../../src/report/summary.js";
import { renderTable } from "../../src/report/table.js";
import { asking, findingsOf, planned, run, runs } from "./made-runs.js";

test("costs: means with intervals, or medians with how many never reach the target, and where seconds go", async () => {
  const of = (arm: string, seed: number, ...accuracies: number[]) => run(arm, seed, { test: accuracies });
  const all = [
    ...[0, 1, 2].map((seed) => of("shuffled", seed, 0.5, 0.9, 0.9, 0.9)),
    // 4, 4 and 3 epochs: mean 3.67, half of the interval 4.303 × 0.577 / √3 = 1.434; 2 seconds an epoch
    ...[0.7, 0.8, 0.9].map((third, seed) => of("slow", seed, 0.5, 0.6, third, 0.95)),
    ...[0.9, 0.95, 0.7].map((last, seed) => of("odd", seed, 0.5, 0.6, 0.7, last)),
    { ...of("running", 0, 0.5), state: "running" as const },
  ];
  expect(costTables(await findingsOf(all, { targetAccuracy: 0.9 })).join("\n")).toMatchInlineSnapshot(`
    "Cost to reach 90.00 % test accuracy (targetAccuracy): mean (95 % interval)

    | arm      |           reached |           epochs | 1000 samples trained on |      1000 scored |           seconds |
    | -------- | ----------------: | ---------------: | ----------------------: | ---------------: | ----------------: |
    | shuffled |            3 of 3 |              2.0 |                     0.2 |              0.0 |               4.0 |
    | slow     |            3 of 3 | 3.7 (2.2 to 5.1) |        0.4 (0.2 to 0.5) | 0.0 (0.0 to 0.1) | 7.3 (4.5 to 10.2) |
    | odd      |   2 of 3, 1 never |       median 4.0 |              median 0.4 |       median 0.0 |        median 8.0 |
    | running  | 0 of 1, 1 not yet |                – |                       – |                – |                 – |

    Where these seconds go

    | arm      |    training |     scoring |  evaluating |    ordering |        wire |     waiting |
    | -------- | ----------: | ----------: | ----------: | ----------: | ----------: | ----------: |
    | shuffled |        2.00 |        0.50 |        1.00 |        0.25 |        0.13 |        0.13 |
    | slow     |        3.67 |        0.92 |        1.83 |        0.46 |        0.23 |        0.23 |
    | odd      | median 4.00 | median 1.00 | median 2.00 | median 0.50 | median 0.25 | median 0.25 |
    | running  |           – |           – |           – |           – |           – |           – |
    "
  `);
});

test("no target, no costs", async () => {
  expect(costTables(await findingsOf(runs("a", 0.5)))).toEqual([]);
});

test("planned comparisons have a verdict, the others stand apart; ten pairs have a bootstrap interval", async () => {
  const many = (arm: string, of: (seed: number) => number) =>
    runs(arm, ...Array.from({ length: 10 }, (_, at) => of(at)));
  const all = [
    ...many("shuffled", () => 0.9),
    ...many("worse", (seed) => 0.88 + seed / 1000),
    ...many("level", () => 0.9),
    ...many("other", (seed) => 0.88 + seed / 1000),
  ];
  const tables = comparisonTables(await findingsOf(all, { comparisons: planned("shuffled", "worse", "level") }));
  const lines = tables.map((table) => table.split("\n"));
  expect(lines.map(([title]) => title)).toEqual([
    "Differences in test accuracy, points, seed by seed (d_z: mean / sd, corrected for few seeds)",
    "The same of test loss",
    "Exploratory, p as it is: differences in test accuracy, points, seed by seed (d_z: mean / sd, corrected for few seeds)",
    "Exploratory: the same of test loss",
  ]);
  // -2 … -1.1 points: mean -1.55, sd 0.30277; half of the interval 2.2622 × 0.30277 / √10 = 0.2166;
  // p of Wilcoxon 2/1024, twice that over two comparisons; d_z -5.12 × 0.9139 (Hedges, 9 degrees of freedom)
  expect(lines[0].slice(2, 6).map((line) => line.split(" | ").map((cell) => cell.replace(/[|]/g, "").trim()))).toEqual([
    ["difference", "pairs", "mean", "95 % interval", "95 % BCa", "d_z", "p (t, Holm)", "p (Wilcoxon, Holm)", "verdict"],
    expect.anything(),
    [
      "worse − shuffled",
      "10",
      "−1.55",
      "−1.77 to −1.33",
      expect.stringMatching(/^−1\.7\d to −1\.3\d$/),
      "−4.68",
      "< 0.0001",
      "0.0039",
      "worse",
    ],
    ["level − shuffled", "10", "0.00", "–", "–", "–", "–", "1 (floor 1)", "no test"],
  ]);
  expect(lines[2][2]).not.toContain("verdict");
  expect(lines[2][2]).toMatch(/\| +p \(t\) \| p \(Wilcoxon\) \|$/);
  expect(lines[2][4]).toMatch(/0\.0020 \|$/);
});

test("with a validation split the arms' table has the test accuracy at the epoch that it would choose", async () => {
  const validation = [0.5, 0.7, 0.6];
  const all = [0, 1].map((seed) => run("shuffled", seed, { test: [0.1, 0.6 + 0.2 * seed, 0.9], validation }));
  const table = renderTable(summarise(asking(all), all, ""), await findingsOf(all));
  const [header, , row] = table.split("\n").slice(2);
  expect(header).toMatch(/\| at best validation epoch, % \|$/);
  expect(row).toMatch(/\| +70\.00 ± 14\.14 \(epoch 2\.0\) \|$/);
});
