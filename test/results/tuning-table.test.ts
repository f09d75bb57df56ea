import { expect, test } from "vitest";
import type { TunedArm, TuningDocument } from "../../src/record/tuning-record.js";
import { makeFindings } from "../../src/results/make-findings.js";
import { measure } from "../../src/results/measures.js";
import { summarise } from "../../src/results/summary.js";
import { renderTable } from "../../src/results/table.js";
import { asking, findingsOf, run, runs as runsOf } from "./made-runs.js";

const values = [{ seed: 1_000_000, value: 0.5 }];
const TUNING: TuningDocument = {
  measure: "accuracy",
  seeds: [1_000_000, 1_000_001],
  validation: { share: 0.1, samples: 1000 },
  arms: [
    {
      arm: "shuffled",
      rate: 0.1,
      end: "lowest",
      trials: [
        { rate: 0.1, values, diverged: 0, mean: 0.75, sd: 0.125 },
        { rate: 0.2, values, diverged: 0, mean: 0.5, sd: null },
      ],
      cost: { runs: 4, samples: 4000, scored: 0 },
    },
    {
      arm: "hard",
      rate: null,
      lack: "every run diverged",
      trials: [
        { rate: 0.1, values, diverged: 1, mean: null, sd: null },
        { rate: 0.2, values, diverged: 1, mean: null, sd: null },
      ],
      cost: { runs: 4, samples: 500, scored: 50 },
    },
  ],
};

const runs = [run("shuffled", 0, { test: [0.5] }), run("hard", 0, { test: [0.5] })];
const tableWith = (tuning: TuningDocument | undefined): string => {
  const planned = asking(runs);
  return renderTable(summarise(planned, runs, "."), makeFindings(measure(planned, runs), "none", runs, tuning));
};

test("a row an arm: the rate that it has, and the mean at each; what it cost, and where the list is too short", () => {
  const table = tableWith(TUNING);
  const rows = table.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
  expect(rows).toContainEqual(["", "arm", "chosen", "at 0.1", "at 0.2", "samples trained on", "scored", ""]);
  expect(rows).toContainEqual(["", "shuffled", "0.1 !", "75.00 ± 12.50", "50.00", "4,000", "0", ""]);
  expect(rows).toContainEqual(["", "hard", "none", "1 of 1 diverged", "1 of 1 diverged", "500", "50", ""]);
  expect(table).toContain("Learning rates, tuned: validation accuracy, % after the last epoch, mean ± sd over 2 seeds");
  expect(table).toContain("on 10 % of the training samples (1,000), which these runs were not trained on");
  expect(table).toContain(
    "- The best learning rate of shuffled is the lowest that was tried (!), and a lower one may be better: widen tune.learningRate\n",
  );
  expect(table).toContain(
    "- Tuning took 8 runs, which trained on 4,500 samples and scored 50, beside the 200 that the arms' own runs trained on: no cost",
  );
  expect(table).toContain(
    "- Learning rates are tuned: each arm but hard has the best of 2 by its mean validation accuracy over 2 runs each, with equal trials",
  );
});

const arm = (name: string, rate: number, means: readonly [number, number], sd = 0.01): TunedArm => ({
  arm: name,
  rate,
  trials: means.map((mean, at) => ({ rate: [0.1, 0.2][at], values: [...values, ...values], diverged: 0, mean, sd })),
  cost: { runs: 4, samples: 4000, scored: 0 },
});

test("where p stands it is said that p is of the chosen rates, how much that is, and how many seeds to tune with", async () => {
  const tested = [...runsOf("shuffled", 0.5, 0.6, 0.7), ...runsOf("hard", 0.6, 0.75, 0.7)];
  const tuned = [arm("shuffled", 0.1, [0.9, 0.8]), arm("hard", 0.1, [0.9, 0.8])];
  const notesWith = async (seeds: readonly number[]) =>
    (await findingsOf(tested, {}, { ...TUNING, seeds, arms: tuned })).notes.join("\n");
  const few = await notesWith([1_000_000, 1_000_001]);
  expect(few).toContain(
    "Intervals and p are of the chosen rates: that other tuning seeds may choose other ones is not in them",
  );
  expect(few).toContain("in 12 % of simulated experiments with 3 tuning seeds, in 8 % with 5 and in 6 % with 9");
  expect(few).toContain("tune.seeds: 3, not 2");
  expect(await notesWith([1_000_000, 1_000_001, 1_000_002])).not.toContain("tune.seeds");
});

test("a rate that chance may have chosen is named with the other one, and so is a comparison of two rates", async () => {
  const tested = [...runsOf("shuffled", 0.5, 0.6, 0.7), ...runsOf("hard", 0.6, 0.75, 0.7)];
  const tuned = [arm("shuffled", 0.2, [0.7, 0.71]), arm("hard", 0.1, [0.9, 0.8])];
  const { notes } = await findingsOf(tested, {}, { ...TUNING, arms: tuned });
  const said = notes.join("\n");
  expect(said).toContain(
    "Learning rates that chance may have chosen: shuffled has 0.2, and 0.1 is within noise of it (1.00 points behind, standard error 1.00). Other",
  );
  expect(said).not.toContain("hard has 0.1");
  expect(said).toContain(
    "Of two learning rates: hard − shuffled (0.1, 0.2). Where one is the placebo or another control",
  );
  const alike = [arm("shuffled", 0.1, [0.9, 0.8]), tuned[1]];
  expect((await findingsOf(tested, {}, { ...TUNING, arms: alike })).notes.join()).not.toContain(
    "Of two learning rates",
  );
});

test("of a loss in its own unit; and nothing where rates are as the config says", () => {
  const [first] = TUNING.arms;
  expect(tableWith({ ...TUNING, measure: "loss", arms: [first] })).toContain("0.7500 ± 0.1250");
  expect(tableWith(undefined)).not.toMatch(/tun(ed|ing)/i);
});
