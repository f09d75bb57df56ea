// What is said of made-up runs, against numbers worked out by hand.
import { beforeEach, describe, expect, test } from "vitest";
import { makeFindings } from "../../src/results/make-findings.js";
import { measure } from "../../src/results/measures.js";
import type { PlannedArm } from "../../src/results/planned-experiment.js";
import { MEASURES } from "../../src/results/shown-measure.js";
import { summarise } from "../../src/results/summary.js";
import { claimText, divergenceText, divergenceVerdict, verdictText } from "../../src/results/verdict.js";
import { isPythonMissing } from "../warm-python/missing.js";
import { asking, findingsOf, planned, run, runs } from "./made-runs.js";

beforeEach(({ skip }) => skip(isPythonMissing, "no Python for the statistics"));

// Differences -0.01, -0.02, -0.03: mean -0.02, sd 0.01. For two degrees of freedom p = 1 - |t| / √(t² + 2).
const T = -0.02 / (0.01 / Math.sqrt(3));
const P = 1 - Math.abs(T) / Math.sqrt(T * T + 2);
const HALF = (4.30265272991 * 0.01) / Math.sqrt(3);
const shuffled = runs("shuffled", 0.9, 0.92, 0.94);
const sorted = runs("sorted", 0.89, 0.9, 0.91);

test("runs of very many epochs are measured: no call has a value of each among its arguments", () => {
  const one = run("shuffled", 0, { test: [0.5], validation: [0.75] });
  const long = [{ ...one, metrics: Array.from({ length: 200_000 }, () => one.metrics[0]) }];
  const { arms } = measure(asking(long), long);
  expect(arms[0]).toMatchObject({
    epochSamples: { least: 100, most: 100 },
    validation: { epochs: { 0: 1 } },
    cost: { runs: [{ best: 0.5 }] },
  });
});

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
    expect(accuracy.claim?.holm).toBeCloseTo(P, 9);
    expect(accuracy.effectCorrected).toBeCloseTo(-2 / Math.sqrt(Math.PI), 9);
    expect(accuracy.wilcoxon?.p).toBe(0.25);
    expect(loss.mean).toBeCloseTo(0.02, 12);
    expect(loss).toMatchObject({ family: null, claim: { holm: null } });
  });

  test("means, spreads and intervals of an arm are of its runs that are done", async () => {
    // logit 0.92 = 2.4423; the half is that of the mean over 0.92 × 0.08
    const logit = Math.log(0.92 / 0.08) + (2 * HALF) / (0.92 * 0.08);
    const cut = run("shuffled", 3, { test: [0.1], state: "diverged" });
    const { arms } = await findingsOf([...shuffled, cut]);
    expect(arms[0].accuracy).toMatchObject({ n: 3, missing: [3], mean: expect.closeTo(0.92, 12) });
    expect(arms[0].accuracy.sd).toBeCloseTo(0.02, 12);
    expect(arms[0].accuracy.interval?.high).toBeCloseTo(1 / (1 + Math.exp(-logit)), 9);
    expect(arms[0].loss.mean).toBeCloseTo(0.08, 12);
  });
});

describe("Holm's correction", () => {
  const all = [...shuffled, ...sorted, ...runs("spread", 0.89, 0.9, 0.91), ...runs("half", 0.8, 0.82, 0.85)];

  test("is over the planned comparisons of all arms when nothing is told", async () => {
    const { comparisons } = await findingsOf(all);
    expect(comparisons.map(({ accuracy }) => accuracy.claim?.holm)).toEqual([
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
    expect(comparisons.map(({ accuracy }) => accuracy.claim?.holm)).toEqual([expect.closeTo(P, 9), null, null]);
    expect(notes[0]).toBe(
      "The claim rests on test accuracy alone: the paired t test of the one planned comparison; the other 2 are exploratory: no correction, no claim; test loss is descriptive",
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
    expect(found.comparisons.find(({ name }) => name === "sorted − shuffled")?.accuracy.claim?.holm).toBeCloseTo(P, 9);
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
    expect(meanCost?.epochs.interval?.low).toBeGreaterThan(0);
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
    expect(notes.join()).not.toContain("median"); // none is shown: all of fast are below, all of slow reach it
  });

  test("notes on costs stand where the tables show what they explain: a cost, a median", () => {
    const costNotes = (...last: number[]) => {
      const all = [...runs("shuffled", ...last), ...runs("other", 0.1, 0.1, 0.1)];
      const { notes } = makeFindings(measure(asking(all, { targetAccuracy: 0.9 }), all), "no statistics", all);
      return notes.flatMap((note) => (/^(Costs|Where runs never)/.exec(note) ?? []).slice(0, 1));
    };
    expect(costNotes(0.9, 0.9, 0.5)).toEqual(["Costs", "Where runs never"]);
    expect(costNotes(0.9, 0.5, 0.5)).toEqual(["Costs"]); // the median is that of a run that never does
    expect(costNotes(0.9, 0.9, 0.9)).toEqual(["Costs"]);
    expect(costNotes(0.5, 0.5, 0.5)).toEqual([]);
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

describe("runs that are not all done", () => {
  const diverged = (arm: string, seed: number) => run(arm, seed, { test: [], state: "diverged" });
  const base = runs("shuffled", 0.9, 0.91, 0.92, 0.93, 0.94, 0.95);

  test("2 of 6 diverged and the other four a point better: not better, and nothing of survivors alone", async () => {
    const { comparisons, notes } = await findingsOf([
      ...base,
      ...runs("torn", 0.91, 0.9205, 0.9295, 0.9402),
      diverged("torn", 4),
      diverged("torn", 5),
    ]);
    const [{ accuracy, sentence }] = comparisons;
    expect(verdictText(accuracy, MEASURES.accuracy)).toBe("undecided");
    expect(accuracy).toMatchObject({ t: null, interval: null, effect: null, n: 4, ranked: 6 });
    expect(sentence).toContain("it cannot be told apart from shuffled in test accuracy (exact signed-rank test");
    expect(sentence).toContain("diverged in 2 of 6 runs, shuffled in 0 of 6 (Fisher's exact test, p = ");
    expect(notes[0]).toBe(
      "Claims rest on test accuracy (1 exact signed-rank test) and how often runs diverge (1 exact test of Fisher's), with Holm's correction over 2 tests; test loss is descriptive",
    );
    expect(notes[1]).toMatch(/^A run that diverged counts as worse than any other/);
    expect(notes.join()).not.toContain("left out");
  });

  test("1 of 3 diverged: too few for the ranks and for Fisher's test, whose p are left out, and nothing is claimed", async () => {
    const all = [...runs("shuffled", 0.9, 0.91, 0.92), ...runs("torn", 0.8, 0.82), diverged("torn", 2)];
    const { comparisons, notes } = await findingsOf(all);
    const [{ accuracy, sentence }] = comparisons;
    expect([claimText(accuracy), verdictText(accuracy, MEASURES.accuracy)]).toEqual(["–", "too few seeds"]);
    expect(accuracy.divergence && divergenceText(accuracy, accuracy.divergence)).toBe("too few seeds");
    expect(sentence).toMatch(
      /^diverged in 1 of 3 runs, shuffled in 0 of 3, too few runs for a test of how often\. 3 paired seeds are too few to rank its test accuracies against those of shuffled, diverged runs as the worst: nothing is claimed of them\. The 2 pairs without one differ by −9\.50 points in the mean, which says nothing of the arm as a whole\. /,
    );
    expect(notes.slice(0, 4)).toEqual([
      "Nothing is claimed: no test of a planned comparison could show anything; test loss is descriptive",
      expect.stringMatching(/^A run that diverged counts as worse than any other/),
      "With fewer than 6 paired seeds the exact signed-rank test cannot show p < 0.05, so its p is left out",
      "With so few runs Fisher's exact test of how often they diverge cannot show p < 0.05, so its p is left out; 4 of each arm are enough",
    ]);
  });

  test("t tests of some arms, ranks of others: both are named, with all that Holm's correction is over", async () => {
    const torn = [0, 1, 2, 3, 4, 5].map((seed) => diverged("torn", seed));
    const all = [...base, ...runs("sorted", 0.8, 0.81, 0.83, 0.82, 0.85, 0.84), ...torn];
    const { notes, comparisons } = await findingsOf(all);
    expect(notes[0]).toBe(
      "Claims rest on test accuracy (1 paired t test, 1 exact signed-rank test) and how often runs diverge (1 exact test of Fisher's), with Holm's correction over 3 tests; test loss is descriptive",
    );
    expect(claimText(comparisons[1].accuracy)).toBe("0.031 (ranks)");
    expect(notes.join()).not.toContain("left out");
  });

  test("none finished: says so, and what to do; of the baseline alone, too", async () => {
    const both = (state: "diverged" | "failed") =>
      ["shuffled", "torn"].flatMap((arm) => [0, 1].map((seed) => run(arm, seed, { test: [], state })));
    const { notes, comparisons } = await findingsOf(both("diverged"));
    expect(notes).toEqual([
      "No run finished: all 4 diverged. Lower the learning rate (schedule), or raise it slowly at the start",
      "2 paired seeds show nothing about others: intervals and tests begin with 3",
    ]);
    expect(verdictText(comparisons[0].accuracy, MEASURES.accuracy)).toBe("too few seeds");
    expect((await findingsOf(both("failed"))).notes[0]).toBe(
      "No run finished: all 4 failed. What failed is told beside each run: mend that, and give the same command again",
    );
    const [first, ...others] = both("failed");
    expect((await findingsOf([diverged(first.arm, 0), ...others])).notes[0]).toBe(
      "No run finished: 1 diverged and 3 failed. Lower the learning rate (schedule), or raise it slowly at the start; what failed is told beside each run: mend that, and give the same command again",
    );
    const alone = await findingsOf([diverged("shuffled", 0), ...runs("sorted", 0.9)]);
    expect(alone.notes[0]).toBe(
      "No run of shuffled finished: it diverged, so there is no mean difference from it and no target accuracy to count costs up to. Lower the learning rate (schedule), or raise it slowly at the start",
    );
    expect((await findingsOf([...runs("shuffled", 0.9), diverged("torn", 0)])).notes.join()).not.toContain("No run");
  });

  test("6 of 6 diverged against 0 of 6: shown to diverge more often", async () => {
    const { comparisons } = await findingsOf([...base, ...[0, 1, 2, 3, 4, 5].map((seed) => diverged("torn", seed))]);
    const [{ accuracy, sentence }] = comparisons;
    expect(accuracy.claim?.holm).toBeCloseTo(2 / 64, 12); // the smaller one of two is 2/924, and this the last
    expect(verdictText(accuracy, MEASURES.accuracy)).toBe("worse");
    expect(divergenceVerdict(accuracy)).toBe("more often");
    expect(sentence).toMatch(
      /^diverged in 6 of 6 runs, .*: more often\. Diverged runs ranked as the worst, it ranks below shuffled .*: worse\./,
    );
  });

  test("every pair that is missing is named with why, and a run that is not on record is", async () => {
    const all = [...base, ...runs("sorted", 0.8, 0.81, 0.83), run("sorted", 3, { test: [], state: "failed" })];
    const { notes, comparisons } = await findingsOf(all);
    expect(notes).toContain(
      "sorted − shuffled has no pair of seed 3 (sorted failed), seeds 4, 5 (sorted is not on record)",
    );
    expect(comparisons[0].sentence).toContain(
      "Of its 6 runs 1 failed and 2 not on record, which these numbers leave out",
    );
  });
});

describe("a collapsed arm", () => {
  const base = runs("shuffled", 0.97, 0.98, 0.96);

  test("is named where every seed ends at one share, and has no effect size", async () => {
    const { arms, comparisons, notes } = await findingsOf([...base, ...runs("torn", 0.1135, 0.1135, 0.1135)]);
    const text = "collapsed: the same accuracy with every seed (11.35 %), as of a network that answers one class";
    expect(arms[1].collapsed).toContain(text);
    expect(comparisons[0].accuracy.effectCorrected).toBeNull();
    expect(comparisons[0].sentence).toMatch(/^collapsed: .* It is 85\.65 points below shuffled .*: worse\./);
    expect(notes.some((note) => note.startsWith(`torn ${text}`))).toBe(true);
  });

  test("is named by its predictions, also where each seed answers another class, or some seeds do", async () => {
    const torn = runs("torn", 0.1, 0.11, 0.09);
    const whole = await findingsOf([...base, ...torn.map((run) => ({ ...run, answersOneClass: true }))]);
    expect(whole.arms[1].collapsed).toContain("with every seed it answers one class for all test samples");
    expect(whole.comparisons[0].accuracy).toMatchObject({ effect: null, effectCorrected: null });
    const some = [...base, ...torn.map((run) => ({ ...run, answersOneClass: run.seed > 0 }))];
    const part = measure(asking(some), some);
    expect(part.arms[1].collapse).toEqual({ runs: 2, of: 3, isSeen: true });
  });

  test("is not one that is right throughout, nor one of two seeds", () => {
    const of = (...accuracies: number[]) => {
      const all = runs("a", ...accuracies);
      return measure(asking(all), all).arms[0].collapse;
    };
    expect(of(1, 1, 1)).toBeUndefined();
    expect(of(0.1, 0.1)).toBeUndefined();
    expect(of(0.1, 0.1, 0.1)).toEqual({ runs: 3, of: 3, isSeen: false });
  });
});

test("level is said after a test of equivalence alone", async () => {
  const base = runs("shuffled", 0.9, 0.91, 0.92, 0.93, 0.94);
  const near = runs("sorted", 0.901, 0.909, 0.921, 0.929, 0.9401);
  const without = await findingsOf([...base, ...near]);
  expect(without.comparisons[0].sentence).toMatch(/^cannot be told apart from shuffled: the difference is 0\.00/);
  const { comparisons, notes } = await findingsOf([...base, ...near], { equivalenceMargin: 0.003 });
  expect(comparisons[0].sentence).toMatch(
    /^is level with shuffled within ±0\.30 points of test accuracy: .*: equivalent\./,
  );
  expect(verdictText(comparisons[0].accuracy, MEASURES.accuracy)).toBe("equivalent");
  expect(notes.some((note) => note.startsWith("Equivalent: "))).toBe(true);
});

test("without a margin the smallest one is told that would have shown it, of what is undecided alone", async () => {
  const base = runs("shuffled", 0.9, 0.91, 0.92, 0.93, 0.94);
  const all = [
    ...base,
    ...runs("near", 0.901, 0.909, 0.921, 0.929, 0.9401),
    ...runs("far", 0.8, 0.811, 0.82, 0.83, 0.84),
  ];
  const { notes, comparisons } = await findingsOf(all);
  const margins = comparisons.map(({ accuracy }) => accuracy.smallestMargin ?? Number.NaN);
  // near: mean 0.00002, se 0.000447, t(0.975; 4) = 2.776 for the first one of two; far: mean -0.0998, t(0.95; 4) = 2.132
  expect(margins).toEqual([expect.closeTo(0.00126, 5), expect.closeTo(0.0998 + 2.132 * 0.0002, 4)]);
  const [note, ...others] = notes.filter((one) => one.startsWith("No equivalenceMargin was named"));
  expect(note).toMatch(/would have shown here: ±0\.1\d points of near − shuffled$/);
  expect(others).toEqual([]);
  const named = await findingsOf(all, { equivalenceMargin: 0.003 });
  expect(named.notes.join()).not.toContain("No equivalenceMargin");
  expect(named.comparisons[0].accuracy.smallestMargin).toBeNull();
  const exact = await findingsOf(all, { equivalenceMargin: margins[0] * 1.0001 });
  expect(verdictText(exact.comparisons[0].accuracy, MEASURES.accuracy)).toBe("equivalent");
  const less = await findingsOf(all, { equivalenceMargin: margins[0] * 0.9999 });
  expect(verdictText(less.comparisons[0].accuracy, MEASURES.accuracy)).toBe("undecided");
});

describe("notes", () => {
  test("where every run is right throughout, losses are told", () => {
    const all = [
      ...[0, 1, 2].map((seed) => run("shuffled", seed, { test: [1], loss: 0.001 })),
      ...[0, 1, 2].map((seed) => run("sorted", seed, { test: [1], loss: 0.007 })),
    ];
    const { notes } = makeFindings(measure(asking(all), all), "no scipy", all);
    expect(notes).toContain(
      "Every run is right on all test samples, so accuracy tells nothing apart; mean test losses go from 0.00100 (shuffled) to 0.00700 (sorted), 7.0-fold, which is descriptive",
    );
  });

  test("arms that train on other numbers of samples an epoch", () => {
    const all = [
      run("shuffled", 0, { test: [0.9], samples: 2000 }),
      run("half", 0, { test: [0.9], samples: 1000 }),
      run("other", 0, { test: [0.9, 0.9], samples: 2000 }),
    ];
    const { notes } = makeFindings(measure(asking(all), all), "no scipy", all);
    expect(notes).toContain(
      "Unequal work: whole runs cost so much of what those of shuffled cost, in forward-equivalents: 0.501 in half; 2.000 in other. " +
        "A difference between such arms may be one of work: `budget` in the config makes arms cost alike",
    );
    const alone = all.filter(({ arm }) => arm !== "shuffled");
    expect(makeFindings(measure(asking(alone), alone), "no scipy", alone).notes).toContain(
      "Unequal work: an epoch is so many samples: 1,000 in half; 2,000 in other. A difference between such arms may be one of work",
    );
    expect(summarise(asking(all), all, "").arms.map(({ samplesTrained }) => samplesTrained)).toEqual([
      2000, 1000, 4000,
    ]);
  });

  describe("unequal work beside budgets", () => {
    const order = { changesObjective: false };
    const all = [
      run("shuffled", 0, { test: [0.9], samples: 2000 }),
      run("long", 0, { test: [0.9, 0.9], samples: 2000 }),
      run("alike", 0, { test: [0.9], samples: 2000 }),
    ];
    const noteOf = (lengths: readonly Partial<PlannedArm>[], runs = all) => {
      const arms = Object.fromEntries(lengths.map((length, at) => [runs[at].arm, { order, ...length }]));
      const { notes } = makeFindings(measure(asking(runs, { arms }), runs), "no scipy", runs);
      return notes.filter((note) => note.startsWith("Unequal work"));
    };
    const costs =
      "Unequal work: whole runs cost so much of what those of shuffled cost, in forward-equivalents: 2.000 in long. A " +
      "difference between such arms may be one of work: ";

    test("arms of other budgets, or of none, are told by what they cost", () => {
      const advice = "one `budget` of forwardEquivalents for all arms makes them cost alike";
      const lengths = [{ epochs: 1 }, { budget: { updates: 40 } }, { epochs: 1 }];
      expect(noteOf(lengths)).toEqual([`${costs}${advice}`]);
      const amounts = [6000, 12_000, 6000].map((forwardEquivalents) => ({ budget: { forwardEquivalents } }));
      expect(noteOf(amounts)).toEqual([`${costs}${advice}`]);
    });

    test("one budget of updates or samples is not one of cost; one of forward-equivalents is", () => {
      const each = (budget: PlannedArm["budget"]) => noteOf(all.map(() => ({ budget })));
      for (const kind of ["updates", "samples"]) {
        expect(each({ [kind]: 40 })).toEqual([
          `${costs}arms are equal in ${kind}, not in cost, which a \`budget\` of forwardEquivalents makes alike`,
        ]);
      }
      expect(each({ forwardEquivalents: 6000 })).toEqual([]);
    });

    test("without a baseline other lengths are told as they are named", () => {
      const alone = all.slice(1);
      expect(noteOf([{ epochs: 1 }, { budget: { updates: 4000 } }], alone)).toEqual([
        "Unequal work: runs have other lengths: 1 epoch in long; 4,000 updates in alike. A difference between such arms may be " +
          "one of work",
      ]);
      expect(noteOf([{ budget: { updates: 40 } }, { budget: { updates: 40 } }], alone)).toEqual([]);
    });
  });

  test("too few seeds, in words; the interval is not corrected", async () => {
    const { notes } = await findingsOf([...shuffled, ...sorted, ...runs("spread", 0.8, 0.81, 0.9)]);
    expect(notes.slice(0, 3)).toEqual([
      "Claims rest on test accuracy alone: the paired t test with Holm's correction over the 2 planned comparisons; test loss is descriptive",
      "3 seeds cannot show p < 0.05 with the exact signed-rank test over 2 tests, so its p is left out; 7 can",
      "Intervals are Student's t: of a mean accuracy on the logit scale and of a mean loss on the log scale, which keeps them within what is possible; of a difference as it is, each of its comparison alone: Holm's correction is of p, not of intervals",
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
