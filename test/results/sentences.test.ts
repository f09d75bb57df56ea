// A comparison in words, for each way that it can come out.
import { beforeEach, describe, expect, test } from "vitest";
import { costSentence } from "../../src/results/cost-sentence.js";
import { costOfArm } from "../../src/results/cost-to-reach.js";
import type { TimedRun } from "../../src/results/recorded-experiment.js";
import { isPythonMissing } from "../warm-python/missing.js";
import { findingsOf, run, runs } from "./made-runs.js";

beforeEach(({ skip }) => skip(isPythonMissing, "no Python for the statistics"));

async function said(all: readonly TimedRun[], exploratory = false): Promise<string | undefined> {
  const { arms } = await findingsOf(all, exploratory ? { comparisons: [] } : {});
  return arms.find(({ arm }) => arm === "sorted")?.sentence;
}
const base = runs("shuffled", 0.9, 0.91, 0.92, 0.93, 0.94);
/** Less than the baseline by these points. */
const less = (...points: readonly number[]): TimedRun[] =>
  runs("sorted", ...points.map((one, seed) => 0.9 + seed / 100 - one / 100));
/** Without what the target costs. */
const first = (text: string | undefined) => text?.split(" It ")[0];

test("worse and better, where p says so", async () => {
  // differences 2 ± sd 0.0707: half of the interval is 2.776 × 0.0707 / √5 = 0.0878
  expect(first(await said([...base, ...less(1.9, 2, 2, 2, 2.1)]))).toBe(
    "is 2.00 points below shuffled in test accuracy (95 % interval −2.09 to −1.91, 5 paired seeds, p < 0.0001): worse.",
  );
  expect(first(await said([...base, ...less(-1.9, -2, -2, -2, -2.1)]))).toBe(
    "is 2.00 points above shuffled in test accuracy (95 % interval +1.91 to +2.09, 5 paired seeds, p < 0.0001): better.",
  );
});

describe("with loss as the primary measure", () => {
  const [alike, lower] = [
    [0, 0, 0, 0, 0.01],
    [0.19, 0.2, 0.2, 0.2, 0.21],
  ];
  const losses = (arm: string, less: readonly number[]) =>
    less.map((one, seed) => run(arm, seed, { test: [0.9 + seed / 100], loss: 1 + seed / 10 - one }));
  const of = async (less: readonly number[], equivalenceMargin: number | null = null) => {
    const all = [...losses("shuffled", [0, 0, 0, 0, 0]), ...losses("sorted", less)];
    const { arms, notes } = await findingsOf(all, { primary: "loss", equivalenceMargin });
    return { text: first(arms[1].sentence), notes };
  };

  test("a lower one is better, in its own unit", async () => {
    // differences 0.2 ± sd 0.00707: half of the interval is 2.776 × 0.00707 / √5 = 0.0088
    expect((await of(lower)).text).toBe(
      "is 0.2000 below shuffled in test loss (95 % interval −0.2088 to −0.1912, 5 paired seeds, p < 0.0001): better.",
    );
    expect((await of(lower.map((one) => -one))).text).toMatch(/^is 0\.2000 above shuffled in test loss .*: worse\.$/);
  });

  test("level is said of a margin in the loss's unit, and accuracy is the one that is descriptive", async () => {
    const { text, notes } = await of(alike, 0.05);
    expect(text).toMatch(/^is level with shuffled within ±0\.0500 of test loss: the difference is −0\.0020 \(/);
    expect(notes[0]).toBe(
      "The claim rests on test loss alone: the paired t test of the one planned comparison; test accuracy is descriptive",
    );
    expect(notes).toContainEqual(expect.stringMatching(/^Equivalent: .*; the margin is in the loss's own unit, nats/));
  });

  test("a run that diverged ranks above any loss: worse", async () => {
    const torn = [0, 1, 2, 3, 4, 5, 6].map((seed) => run("sorted", seed, { test: [], state: "diverged" }));
    const base = runs("shuffled", 0.9, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96);
    const { arms } = await findingsOf([...base, ...torn], { primary: "loss" });
    expect(arms[1].sentence).toMatch(
      /Diverged runs ranked as the worst, it ranks above shuffled in test loss .*: worse\./,
    );
  });
});

test("undecided: what fits the seeds", async () => {
  // -1, 0, 1, 0, 0.5: mean 0.1, sd 0.742; half 2.776 × 0.742 / √5 = 0.921; t 0.3015, p 0.778
  expect(first(await said([...base, ...less(1, 0, -1, 0, -0.5)]))).toBe(
    "cannot be told apart from shuffled: the difference is +0.10 points, and anything from −0.82 to +1.02 fits the 5 paired seeds (p = 0.78).",
  );
});

test("undecided after Holm's correction alone: it says that the interval is uncorrected", async () => {
  // 1, 2, 3, 1, 3: mean 2, sd 1, t 4.472, p 0.0111; five planned comparisons
  const others = ["a", "b", "c", "d"].flatMap((arm) => runs(arm, 0.9, 0.91, 0.92, 0.93, 0.945));
  expect(first(await said([...base, ...less(1, 2, 3, 1, 3), ...others]))).toBe(
    "cannot be told apart from shuffled after Holm's correction: the difference is −2.00 points (95 % interval of this comparison alone −3.24 to −0.76, 5 paired seeds, p = 0.055 after Holm).",
  );
});

test("exploratory: no claim", async () => {
  expect(first(await said([...base, ...less(1.9, 2, 2, 2, 2.1)], true))).toBe(
    "is 2.00 points below shuffled in test accuracy (95 % interval −2.09 to −1.91, 5 paired seeds, not planned): exploratory, so nothing is claimed.",
  );
});

test("no pairs, one pair, equal differences", async () => {
  const failed = run("sorted", 0, { test: [], state: "failed" });
  expect(await said([...base, failed])).toBe(
    "cannot be compared with shuffled: no seed was finished in both. Of its 5 runs 1 failed and 4 not on record, which these numbers leave out.",
  );
  expect(first(await said([...base, ...less(1)]))).toBe(
    "is 1.00 points below shuffled in test accuracy on the one seed that both finished, which shows nothing about other seeds. Of its 5 runs 4 not on record, which these numbers leave out.",
  );
  expect(first(await said([...base, ...less(1, 1, 1)]))).toBe(
    "is 1.00 points below shuffled in test accuracy in each of 3 paired seeds alike: without spread there is no test, so nothing is claimed. Of its 5 runs 2 not on record, which these numbers leave out.",
  );
  expect(first(await said([...base, ...less(0, 0, 0)]))).toBe(
    "has the test accuracy of shuffled in each of 3 paired seeds. Its mean test loss is 0.0900 against 0.0800, which is descriptive. Of its 5 runs 2 not on record, which these numbers leave out.",
  );
});

test("why there is no test stands among the notes, too", async () => {
  const { notes } = await findingsOf([...base, ...less(0, 0, 0), ...runs("better", 0.9, 0.92, 0.94)]);
  expect(notes).toContain(
    "sorted − shuffled: the difference is the same with every seed, so it has no spread, and there is no test",
  );
});

test("two pairs are too few, and are told as such", async () => {
  expect(first(await said([...base, ...less(1, 2)]))).toBe(
    "is 1.50 points below shuffled in test accuracy in the mean of two paired seeds, too few for an interval or a test: nothing is claimed. Of its 5 runs 3 not on record, which these numbers leave out.",
  );
});

test("equal accuracies: the losses are told", async () => {
  const all = (arm: string, loss: number) => [0, 1, 2].map((seed) => run(arm, seed, { test: [1], loss }));
  expect(first(await said([...all("shuffled", 0.001), ...all("sorted", 0.007)]))).toBe(
    "has the test accuracy of shuffled in each of 3 paired seeds. Its mean test loss is 0.0070 against 0.0010, which is descriptive.",
  );
});

const diverged = (seed: number): TimedRun => run("sorted", seed, { test: [0.1], state: "diverged" });

test("runs that diverged rank worst: no mean, interval or verdict of survivors", async () => {
  // 1 of 6 and 0 of 6: p = 1; six of one sign: 2/64, as the smaller one of two
  const six = [...base, run("shuffled", 5, { test: [0.95] })];
  expect(await said([...six, ...less(1.9, 2, 2, 2, 2.1), diverged(5)])).toMatch(
    /^diverged in 1 of 6 runs, shuffled in 0 of 6 \(Fisher's exact test, p = 1 after Holm\)\. Diverged runs ranked as the worst, it cannot be told apart from shuffled in test accuracy \(exact signed-rank test over 6 paired seeds, p = 0\.063 after Holm\)\. The 5 pairs without one differ by −2\.00 points in the mean, which says nothing of the arm as a whole\. It /,
  );
});

test("runs that diverged, of too few seeds for the ranks: what can be tested is, and the rest is said", async () => {
  expect(await said([...base, ...less(1.9, 2, 2, 2.1), diverged(4)])).toMatch(
    /^diverged in 1 of 5 runs, shuffled in 0 of 5 \(Fisher's exact test, p = 1 after Holm\)\. 5 paired seeds are too few to rank its test accuracies against those of shuffled, diverged runs as the worst: nothing is claimed of them\. The 4 pairs /,
  );
  expect(await said([...runs("shuffled", 0.9), diverged(0)])).toMatch(
    /^diverged in 1 of 1 run, shuffled in 0 of 1, too few runs for a test of how often\. 1 paired seed is too few to rank .*: nothing is claimed of them\. It /,
  );
  expect(await said([...runs("shuffled", 0.9, 0.91), ...less(1), diverged(1)])).toContain(
    " The one pair without one differs by −1.00 points, which says nothing of the arm as a whole.",
  );
});

/** The epoch of four in which each seed reaches the target; 5: never. The baseline ends with 0.9 everywhere. */
const reaching = (arm: string, ...epochs: readonly number[]): TimedRun[] =>
  epochs.map((epoch, seed) =>
    run(arm, seed, {
      test: [1, 2, 3, 4].map((at) => (at >= epoch ? (arm === "shuffled" ? 0.9 : 0.95 + seed / 100) : 0.5)),
    }),
  );
const cost = async (...all: readonly TimedRun[]) => / (It (?:never )?reaches .*)$/.exec((await said(all)) ?? "")?.[1];

test("the target is reached later or sooner, with how sure that is", async () => {
  // differences 1, 2, 1: mean 1.3, sd 0.577; half 4.303 × 0.577 / √3 = 1.434
  expect(await cost(...reaching("shuffled", 2, 2, 2), ...reaching("sorted", 3, 4, 3))).toBe(
    "It reaches 90.00 % after 3.3 epochs instead of 2.0 (difference +1.3, 95 % interval −0.1 to +2.8).",
  );
  expect(await cost(...reaching("shuffled", 3, 3, 3), ...reaching("sorted", 2, 2, 2))).toBe(
    "It reaches 90.00 % after 2.0 epochs instead of 3.0.",
  );
  expect(await cost(...reaching("shuffled", 3, 3, 3), ...reaching("sorted", 3, 3, 3))).toBe(
    "It reaches 90.00 % after 3.0 epochs, as shuffled does.",
  );
});

const having = (samples: number, scored: number, runs: readonly TimedRun[]): readonly TimedRun[] =>
  runs.map((one) => ({ ...one, metrics: one.metrics.map((line) => ({ ...line, samples, scored })) }));

test("where epochs are of other numbers of samples the cost is told in samples", async () => {
  const shuffled = having(100, 0, reaching("shuffled", 2, 2, 2));
  // 3, 4 and 3 epochs of 1,000 samples, 2 of 100: differences 2,800, 3,800, 2,800; half 4.303 × 577 / √3 = 1,434
  expect(await cost(...shuffled, ...having(1000, 0, reaching("sorted", 3, 4, 3)))).toBe(
    "It reaches 90.00 % after 3,333 samples trained on instead of 200 (difference +3,133, 95 % interval +1,699 to +4,568).",
  );
  expect(await cost(...shuffled, ...having(1000, 0, reaching("sorted", 1, 1, 5)))).toBe(
    "It reaches 90.00 % after 1,000 samples trained on in the median instead of 200; never in 1 of 3 runs.",
  );
  expect(
    await cost(...having(100, 0, reaching("shuffled", 4, 4, 4)), ...having(200, 0, reaching("sorted", 2, 2, 2))),
  ).toBe("It reaches 90.00 % after 400 samples trained on, as shuffled does.");
  const [first, second, third] = having(100, 0, reaching("sorted", 2, 2, 2));
  const cut = { ...third, metrics: third.metrics.map((line, at) => ({ ...line, samples: at === 3 ? 50 : 100 })) };
  expect(
    await cost(...having(100, 0, reaching("shuffled", 3, 3, 3)), first, second, cut),
    "a last epoch that is cut",
  ).toBe("It reaches 90.00 % after 200 samples trained on instead of 300.");
});

test("where epochs differ and either scored anything the cost is told in passes", async () => {
  const shuffled = having(100, 0, reaching("shuffled", 2, 2, 2));
  // As a pool: half of 100 candidates, 3 × 50 + 100 an epoch, beside 3 × 100: half of the samples is no half of the cost
  expect(await cost(...shuffled, ...having(50, 100, reaching("sorted", 2, 2, 2)))).toBe(
    "It reaches 90.00 % after 500 forward-equivalents instead of 600.",
  );
  // 1,200, 1,600 and 1,200: differences 600, 1,000, 600, the half 4.303 × 231 / √3 = 574
  expect(await cost(...shuffled, ...having(100, 100, reaching("sorted", 3, 4, 3)))).toBe(
    "It reaches 90.00 % after 1,333 forward-equivalents instead of 600 (difference +733, 95 % interval +160 to +1,307).",
  );
  expect(await cost(...shuffled, ...having(100, 100, reaching("sorted", 3, 3, 5)))).toBe(
    "It reaches 90.00 % after 1,200 forward-equivalents in the median instead of 600; never in 1 of 3 runs.",
  );
});

test("one epoch is no epochs", async () => {
  expect(await cost(...reaching("shuffled", 1, 1, 1), ...reaching("sorted", 1, 1, 1))).toBe(
    "It reaches 90.00 % after 1 epoch, as shuffled does.",
  );
  expect(await cost(...reaching("shuffled", 2, 2, 2), ...reaching("sorted", 1, 1, 5))).toBe(
    "It reaches 90.00 % after 1 epoch in the median instead of 2; never in 1 of 3 runs.",
  );
});

test("some never reach it: medians and counts", async () => {
  expect(await cost(...reaching("shuffled", 2, 2, 2), ...reaching("sorted", 3, 4, 5))).toBe(
    "It reaches 90.00 % after 4 epochs in the median instead of 2; never in 1 of 3 runs.",
  );
  expect(await cost(...reaching("shuffled", 2, 2, 2), ...reaching("sorted", 3, 5, 5))).toBe(
    "It reaches 90.00 % in only 1 of 3 runs.",
  );
  expect(await cost(...reaching("shuffled", 2, 2, 2), ...reaching("sorted", 5, 5, 5))).toBe(
    "It never reaches 90.00 %.",
  );
});

describe("where the baseline, too, does not always reach the target", () => {
  test.each([
    [[5, 5, 5], [2, 2, 5], "It never reaches 90.00 %, which shuffled reaches in 2 of 3 runs."],
    [[5, 5, 5], [5, 5, 5], "It never reaches 90.00 %, nor does shuffled."],
    [[3, 5, 5], [2, 2, 5], "It reaches 90.00 % in only 1 of 3 runs, shuffled in 2 of 3."],
    [[3, 5, 5], [5, 5, 5], "It reaches 90.00 % in only 1 of 3 runs, shuffled in 0 of 3."],
    [
      [3, 4, 5],
      [2, 3, 5],
      "It reaches 90.00 % after 4 epochs in the median instead of 3; never in 1 of 3 runs, shuffled in 1 of 3.",
    ],
    [[3, 4, 4], [2, 5, 5], "It reaches 90.00 % after 4 epochs in the median; shuffled never in 2 of 3 runs."],
  ])("%j against %j", (own, theirs, expected) => {
    const costs = {
      own: costOfArm(reaching("sorted", ...own), 0.9),
      theirs: costOfArm(reaching("shuffled", ...theirs), 0.9),
    };
    expect(costSentence("shuffled", costs, { differences: null, areEpochsAlike: true })).toBe(expected);
  });
});
