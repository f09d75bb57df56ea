// What is said of made-up runs, against numbers worked out by hand.
import { describe, expect, test } from "vitest";
import { makeFindings } from "../../src/report/make-findings.js";
import { measure } from "../../src/report/measures.js";
import { asking, findingsOf, planned, run, runs } from "./made-runs.js";

// Differences -0.01, -0.02, -0.03: mean -0.02, sd 0.01. For two degrees of freedom p = 1 - |t| / √(t² + 2).
const T = -0.02 / (0.01 / Math.sqrt(3));
const P = 1 - Math.abs(T) / Math.sqrt(T * T + 2);
const HALF = (4.30265272991 * 0.01) / Math.sqrt(3);
const shuffled = runs("shuffled", 0.9, 0.92, 0.94);
const sorted = runs("sorted", 0.89, 0.9, 0.91);

describe("a planned comparison", () => {
  test("has the paired difference, its interval, effect and tests", async () => {
    const { arms, comparisons, baseline } = await findingsOf([...shuffled, ...sorted]);
    expect(baseline).toBe("shuffled");
    expect(arms.map(({ arm, comparison }) => [arm, comparison?.name])).toEqual([
      ["shuffled", undefined],
      ["sorted", "sorted − shuffled"],
    ]);
    const [{ accuracy, loss, planned: isPlanned }] = comparisons;
    expect(isPlanned).toBe(true);
    expect(accuracy.mean).toBeCloseTo(-0.02, 12);
    expect(accuracy.sd).toBeCloseTo(0.01, 12);
    expect(accuracy.interval?.low).toBeCloseTo(-0.02 - HALF, 9);
    expect(accuracy.interval?.high).toBeCloseTo(-0.02 + HALF, 9);
    expect(accuracy.t?.p).toBeCloseTo(P, 9);
    expect(accuracy.tHolm).toBeCloseTo(P, 9);
    expect(accuracy.effectCorrected).toBeCloseTo(-2 / Math.sqrt(Math.PI), 9);
    expect(accuracy.wilcoxon?.p).toBe(0.25);
    expect(loss.mean).toBeCloseTo(0.02, 12);
    expect(loss.family).toBe("loss");
  });

  test("means, spreads and intervals of an arm are of its runs that are done", async () => {
    const cut = run("shuffled", 3, { test: [0.1], state: "diverged" });
    const { arms } = await findingsOf([...shuffled, cut]);
    expect(arms[0].accuracy).toMatchObject({ n: 3, missing: [3], mean: expect.closeTo(0.92, 12) });
    expect(arms[0].accuracy.sd).toBeCloseTo(0.02, 12);
    expect(arms[0].accuracy.interval?.high).toBeCloseTo(0.92 + 2 * HALF, 9);
    expect(arms[0].loss.mean).toBeCloseTo(0.08, 12);
  });
});

describe("Holm's correction", () => {
  const all = [...shuffled, ...sorted, ...runs("spread", 0.89, 0.9, 0.91), ...runs("half", 0.8, 0.82, 0.85)];

  test("is over the planned comparisons of all arms when nothing is told", async () => {
    const { comparisons } = await findingsOf(all);
    expect(comparisons.map(({ accuracy }) => accuracy.tHolm)).toEqual([
      expect.closeTo(2 * P, 9), // the second and third smallest of three, alike
      expect.closeTo(2 * P, 9),
      expect.closeTo(3 * (comparisons[2].accuracy.t?.p ?? Number.NaN), 9),
    ]);
  });

  test("is over those alone that the config names; the others are exploratory", async () => {
    const { comparisons, notes } = await findingsOf(all, { comparisons: planned("shuffled", "sorted") });
    expect(comparisons.map((one) => [one.name, one.planned])).toEqual([
      ["sorted − shuffled", true],
      ["spread − shuffled", false],
      ["half − shuffled", false],
    ]);
    expect(comparisons.map(({ accuracy }) => accuracy.tHolm)).toEqual([expect.closeTo(P, 9), null, null]);
    expect(notes[0]).toBe(
      "The claim rests on the paired t test of the one planned comparison; the other 2 are exploratory: no correction, no claim",
    );
  });

  test("counts a comparison with another arm than the baseline, which no arm's own line shows", async () => {
    const comparisons = [...planned("shuffled", "sorted"), { arm: "half", with: "spread" }];
    const found = await findingsOf(all, { comparisons });
    const [withOther] = found.comparisons.filter((one) => one.with === "spread");
    expect(withOther).toMatchObject({ name: "half − spread", arm: "half", planned: true });
    expect(withOther.accuracy.mean).toBeCloseTo((-0.09 - 0.08 - 0.06) / 3, 12);
    expect(withOther.sentence).toMatch(/points below spread in test accuracy .* after Holm/);
    expect(found.arms.find(({ arm }) => arm === "half")?.comparison?.with).toBe("shuffled");
    expect(found.comparisons.find(({ name }) => name === "sorted − shuffled")?.accuracy.tHolm).toBeCloseTo(P, 9);
  });
});

describe("the target", () => {
  const slow = [0, 1, 2].map((seed) => run("slow", seed, { test: [0.5, 0.6, 0.7 + seed / 10, 0.95] }));
  const fast = [0, 1, 2].map((seed) => run("shuffled", seed, { test: [0.5, 0.8, 0.9, 0.9] }));

  test("is the baseline's final mean, with the mean cost and the paired difference", async () => {
    const { target, arms, comparisons } = await findingsOf([...fast, ...slow]);
    expect(target).toEqual({ accuracy: expect.closeTo(0.9, 12), from: "baseline" });
    expect(arms[0].meanCost?.epochs).toMatchObject({ n: 3, mean: 3, sd: 0, interval: null });
    const { meanCost } = arms[1]; // 4, 4 and 3 epochs
    expect(meanCost?.epochs.mean).toBeCloseTo(11 / 3, 12);
    expect(meanCost?.epochs.sd).toBeCloseTo(Math.sqrt(1 / 3), 12);
    expect(meanCost?.epochs.interval?.low).toBeCloseTo(11 / 3 - (4.30265272991 * Math.sqrt(1 / 3)) / Math.sqrt(3), 9);
    expect(meanCost?.samples.mean).toBeCloseTo(1100 / 3, 9);
    expect(meanCost?.scored.mean).toBeCloseTo(110 / 3, 9);
    expect(meanCost?.["seconds.ordering"].mean).toBeCloseTo(0.125 * (11 / 3), 9);
    expect(comparisons[0].cost?.epochs).toMatchObject({ n: 3, mean: expect.closeTo(2 / 3, 12), family: null });
    expect(comparisons[0].cost?.["seconds.total"].mean).toBeCloseTo(4 / 3, 12);
  });

  test("may stand in the config; runs that never reach it are counted, and there is no mean", async () => {
    const { target, arms, notes } = await findingsOf([...fast, ...slow], { targetAccuracy: 0.94 });
    expect(target).toEqual({ accuracy: 0.94, from: "config" });
    expect(arms[0].cost).toMatchObject({ reached: 0, notReached: 3 });
    expect(arms[0].meanCost).toBeNull();
    expect(arms[1].meanCost?.epochs.mean).toBe(4);
    expect(notes).toContain(
      "Costs are up to the end of the first epoch with 94.00 % test accuracy (targetAccuracy); a later epoch may be below it again",
    );
    expect(notes.at(-1)).toMatch(/^Where runs never reach the target, the median stands for the mean/);
  });

  test("there is none without a baseline that is done", async () => {
    const { target, arms, comparisons } = await findingsOf([
      run("shuffled", 0, { test: [0.5], state: "failed" }),
      ...slow,
    ]);
    expect(target).toBeNull();
    expect(arms.map(({ cost, meanCost }) => [cost, meanCost])).toEqual([
      [null, null],
      [null, null],
    ]);
    expect(comparisons[0].cost).toBeNull();
  });
});

test("the validation split chooses the epoch, the first among equals; the test set is only looked up there", async () => {
  const validation = [0.5, 0.7, 0.7];
  const all = [
    run("shuffled", 0, { test: [0.99, 0.6, 0.9], validation }),
    run("shuffled", 1, { test: [0.99, 0.8, 0.9], validation }),
    run("shuffled", 2, { test: [0.99, 0.8], validation, state: "diverged" }),
  ];
  const { arms } = await findingsOf(all);
  expect(arms[0].validation?.epochs).toMatchObject({ n: 2, mean: 2, missing: [2] });
  expect(arms[0].validation?.accuracy.mean).toBeCloseTo(0.7, 12);
  expect((await findingsOf(shuffled)).arms[0].validation).toBeUndefined();
});

test("an alarm on normalisation is told of its arm", async () => {
  const measured = (accuracy: number) => ({ loss: 1, accuracy, count: 100 });
  const [first] = runs("shuffled", 0.1);
  const ownBatches = { running: measured(0.1), batch: measured(0.9) };
  const alarming = { ...first, metrics: first.metrics.map((line) => ({ ...line, batchNorm: { ownBatches } })) };
  const { alarms } = await findingsOf([alarming]);
  expect(alarms.map(({ arm }) => arm)).toEqual(["shuffled"]);
});

describe("notes", () => {
  test("too few seeds, in words; the interval is not corrected", async () => {
    const { notes } = await findingsOf([...shuffled, ...sorted, ...runs("spread", 0.8, 0.81, 0.9)]);
    expect(notes.slice(0, 3)).toEqual([
      "Claims rest on the paired t test with Holm's correction over the 2 planned comparisons",
      "3 seeds cannot show p < 0.05 with the exact Wilcoxon test over 2 comparisons; 7 can",
      "An interval is of its comparison alone: Holm's correction is of p, not of intervals",
    ]);
  });

  test("one seed claims nothing", async () => {
    const { notes } = await findingsOf([...runs("shuffled", 0.9), ...runs("sorted", 0.8)]);
    expect(notes[0]).toMatch(/^One seed in common says nothing about others/);
  });

  test("without a baseline it says how to name one", async () => {
    const { notes, comparisons } = await findingsOf([...runs("a", 0.9), ...runs("b", 0.8)]);
    expect(comparisons).toEqual([]);
    expect(notes).toEqual([
      "No arm is the baseline, so none is compared with it: name one in the config (baseline: …)",
    ]);
  });

  test("a bootstrap interval has its warning", async () => {
    const many = (arm: string, base: number) =>
      runs(arm, ...Array.from({ length: 10 }, (_, at) => base + at ** 2 / 1e4));
    const { notes } = await findingsOf([...many("shuffled", 0.9), ...runs("sorted", ...Array(10).fill(0.9))]);
    expect(notes.find((note) => note.startsWith("The bootstrap"))).toMatch(/covers 89 %, not 95 %$/);
  });
});

test("without statistics there are means and spreads, no comparisons, and the reason", () => {
  const all = [...shuffled, ...sorted];
  const found = makeFindings(measure(asking(all), all), "no scipy", all);
  expect(found.lack).toBe("no scipy");
  expect(found.comparisons).toEqual([]);
  expect(found.arms[1].accuracy).toMatchObject({ n: 3, mean: expect.closeTo(0.9, 12), interval: null });
  expect(found.arms[1].accuracy.sd).toBeCloseTo(0.01, 12);
  expect(found.arms[1].sentence).toBeUndefined();
});
