import { parseHTML } from "linkedom";
import { describe, expect, test } from "vitest";
import { renderPage } from "../../src/page/page.js";
import { readReportData } from "../../src/page/read.js";
import type { Comparison } from "../../src/record/findings-document.js";
import type { Difference } from "../../src/record/statistics-document.js";
import { costOfArm, type RecordedRun } from "../../src/results/cost-to-reach.js";
import { bestArm, COMPARISON, findings } from "./findings-scene.js";
import { make, SMALL } from "./scene.js";

type Page = ReturnType<typeof parseHTML>["document"];

const documentOf = (parts: Parameters<typeof findings>[0] = {}) =>
  parseHTML(renderPage(readReportData(make(SMALL)), findings(parts))).document;

const rowsOf = (document: Page, id: string): string[][] =>
  [...document.querySelectorAll(`#${id} tbody tr`)].map((row) =>
    [...row.querySelectorAll("th, td")].map((cell) => cell.textContent?.trim() ?? ""),
  );

describe("what the statistics say", () => {
  test("their sentences and notes stand in place of plain differences", () => {
    const text = documentOf().querySelector("#answer")?.textContent ?? "";
    expect(text).toContain("sorted is worse, surely.");
    expect(text).toContain("A note.");
    expect(text).not.toContain("paired seeds");
  });

  test("planned comparisons first, in one line, then each; what was not planned is folded away below", () => {
    const none = { ...COMPARISON.accuracy, claim: { test: "t", p: 0.5, holm: 1 } } as const;
    const comparison = (arm: string, changes: Partial<Comparison> = {}): Comparison => ({
      ...{ ...COMPARISON, arm, name: `${arm} − shuffled`, sentence: `${arm} said.` },
      ...changes,
    });
    const unplanned = { planned: false, accuracy: { ...none, claim: { test: "t", p: 0.5, holm: null } } } as const;
    const all = [comparison("a", unplanned), comparison("b", { accuracy: none }), comparison("c", unplanned)];
    const answerOf = (comparisons: readonly Comparison[]) =>
      documentOf({ comparisons: [...comparisons] }).querySelector("#answer");
    const shown = answerOf([...all, comparison("sorted")]);
    expect(shown?.querySelector(".short")?.textContent).toBe(
      "Of the 2 planned comparisons in test accuracy: 1 worse (sorted − shuffled); 1 undecided.",
    );
    const sentences = (at: string) =>
      [...(shown?.querySelectorAll(`${at} > li`) ?? [])].map((li) => li.textContent?.trim());
    expect(sentences("section > .sentences")).toEqual(["b b said.", "sorted sorted said."]);
    expect(sentences("details > .sentences")).toEqual(["a a said.", "c c said."]);
    expect(shown?.querySelector("summary")?.textContent).toBe(
      "2 comparisons that were not planned: nothing is claimed",
    );
    expect(
      answerOf([comparison("b", { accuracy: none }), comparison("d", { accuracy: none })])?.querySelector(".short")
        ?.textContent,
    ).toBe("Of the 2 planned comparisons in test accuracy none shows a difference.");
    const few = comparison("e", { accuracy: { ...none, claim: null, lack: "one pair" } });
    const alike = comparison("f", { accuracy: { ...none, claim: null, lack: "equal differences" } });
    const shortOf = (...comparisons: readonly Comparison[]) =>
      answerOf(comparisons)?.querySelector(".short")?.textContent;
    expect(shortOf(few, alike)).toBe(
      "Of the 2 planned comparisons in test accuracy none could show a difference: 1 of too few seeds; 1 without a test.",
    );
    expect(shortOf(few, comparison("b", { accuracy: none }))).toBe(
      "Of the 2 planned comparisons in test accuracy none shows a difference: 1 undecided; 1 of too few seeds.",
    );
    expect(shortOf(few, comparison("sorted"))).toBe(
      "Of the 2 planned comparisons in test accuracy: 1 worse (sorted − shuffled); 1 of too few seeds.",
    );
    expect(answerOf([comparison("a", unplanned)])?.querySelector("details .sentences")).toBeNull();
  });

  test("differences in points, their intervals, effect, and p after Holm", () => {
    expect(rowsOf(documentOf(), "comparisons")).toEqual([
      ["sorted − shuffled", "−12.50−20.00 to −5.00", "−1.25", "0.040", "0.030", "worse", "2"],
    ]);
    const note = documentOf().querySelector("#comparisons-note")?.textContent;
    expect(note).toContain("test accuracy, which alone claims something");
    expect(note).toContain("d_z: mean / sd, corrected for few seeds. p: two-sided.");
    expect(rowsOf(documentOf(), "loss-differences")).toEqual([
      ["sorted − shuffled", "+0.2500+0.1000 to +0.4000", "−1.25"],
    ]);
    expect(documentOf().querySelector("#loss-differences-note")?.textContent).toMatch(/^Descriptive: /);
  });

  test("what whole runs cost against the baseline's", () => {
    const ratio = (mean: number) => ({ mean, smallest: mean - 0.01, largest: mean + 0.01 });
    const saving = {
      ...{ pairs: 2, promised: 0.5, forward: ratio(1.5), backward: ratio(0.5), forwardEquivalents: ratio(0.8) },
      seconds: null,
    };
    const found = documentOf({
      arms: [
        { ...bestArm("shuffled"), saving: null },
        { ...bestArm("sorted"), saving },
      ],
    });
    expect(rowsOf(found, "saving")).toEqual([
      ["sorted", "0.500", "0.500 (0.490 to 0.510)", "1.500 (1.490 to 1.510)", "0.800 (0.790 to 0.810)", "–"],
    ]);
    expect(found.querySelector("#saving-note")?.textContent).toContain("a share of what those of shuffled cost");
    expect(documentOf().querySelector("#saving")).toBeNull();
  });

  test("the learning rate of each arm, with the mean at each that was tried", () => {
    const trial = (rate: number, mean: number) => ({ rate, values: [], diverged: 0, mean, sd: 0.01 });
    const arm = { arm: "sorted", rate: 0.2, trials: [trial(0.1, 0.5), trial(0.2, 0.75)] };
    const found = documentOf({
      tuning: {
        measure: "accuracy",
        seeds: [1000000],
        validation: { share: 0.1, samples: 20 },
        arms: [{ ...arm, end: "highest", cost: { runs: 2, samples: 8, scored: 0 } }],
      },
    });
    expect(rowsOf(found, "tuning")).toEqual([["sorted", "0.2 !", "50.00 ± 1.00", "75.00 ± 1.00", "8"]]);
    expect(found.querySelector("#tuning-note")?.textContent).toContain("on 10 % of the training samples (20)");
    expect(documentOf().querySelector("#tuning")).toBeNull();
  });

  test("with loss as the primary measure that has the tests, and lower is better", () => {
    const found = documentOf({
      primary: "loss",
      comparisons: [{ ...COMPARISON, loss: COMPARISON.accuracy, accuracy: COMPARISON.loss }],
    });
    expect(rowsOf(found, "comparisons")).toEqual([
      ["sorted − shuffled", "−0.1250−0.2000 to −0.0500", "−1.25", "0.040", "0.030", "better", "2"],
    ]);
    expect(found.querySelector("#comparisons-note")?.textContent).toContain("test loss, which alone claims something");
    expect(rowsOf(found, "accuracy-differences")).toEqual([["sorted − shuffled", "+25.00+10.00 to +40.00", "−1.25"]]);
  });

  test("why an arm that ends alike with every seed has no effect size, and over how many comparisons p is corrected", () => {
    const alike = { ...COMPARISON, accuracy: { ...COMPARISON.accuracy, effectCorrected: null } };
    const found = documentOf({ comparisons: [COMPARISON, alike, { ...COMPARISON, planned: false }] });
    const noteOf = (id: string) => found.querySelector(`#${id}-note`)?.textContent;
    expect(noteOf("comparisons")).toContain(
      "d_z: mean / sd, corrected for few seeds; – where one of the two ends alike with every seed. " +
        "p: two-sided, after Holm's correction over the 2 planned comparisons; of those that were not planned (†) as it is",
    );
    expect(noteOf("loss-differences")).not.toContain("d_z");
    expect(documentOf({ comparisons: [alike] }).querySelector("#loss-differences-note")?.textContent).toContain(
      "d_z: ",
    );
  });

  test("what a sentence says of a collapse is not noted again", () => {
    const collapsed = "collapsed: with every seed it answers one class for all test samples (33.33 %)";
    const text = documentOf({
      comparisons: [{ ...COMPARISON, sentence: `${collapsed}. It is worse, surely.` }],
      notes: [`sorted ${collapsed}`, `shuffled ${collapsed}`],
    }).querySelector("#answer")?.textContent;
    expect(text?.split("sorted collapsed")).toHaveLength(2);
    expect(text).toContain("shuffled collapsed"); // the baseline has no sentence
  });

  test("what was not planned is marked, with its p as it is", () => {
    const accuracy: Difference = { ...COMPARISON.accuracy, claim: { test: "t", p: 0.0202, holm: null } };
    const [[name, , , t, wilcoxon, verdict]] = rowsOf(
      documentOf({ comparisons: [{ ...COMPARISON, planned: false, accuracy }] }),
      "comparisons",
    );
    expect([name, t, wilcoxon, verdict]).toEqual(["sorted − shuffled †", "0.020", "0.015", "–"]);
  });

  test("where runs diverged: p of the ranks, how often, and nothing of survivors alone", () => {
    const diverged: Partial<Difference> = { lack: "diverged runs", ranked: 6, interval: null, effectCorrected: null };
    const accuracy: Difference = {
      ...COMPARISON.accuracy,
      ...diverged,
      claim: { test: "signed rank", p: 0.2, holm: 0.4 },
      divergence: { arm: 4, armRuns: 6, baseline: 0, baselineRuns: 6, p: 0.02, holm: 0.04 },
    };
    const loss: Difference = { ...COMPARISON.loss, ...diverged };
    expect(rowsOf(documentOf({ comparisons: [{ ...COMPARISON, accuracy, loss }] }), "comparisons")).toEqual([
      [
        "sorted − shuffled",
        "–",
        "0.40 (ranks)",
        "0.030",
        "undecided",
        "4 of 6other 0 of 6p 0.040: more often",
        "62 finished",
      ],
    ]);
    expect(rowsOf(documentOf({ comparisons: [{ ...COMPARISON, accuracy, loss }] }), "loss-differences")).toEqual([
      ["sorted − shuffled", "–"],
    ]);
  });

  test("with too few seeds for the signed-rank test it has no column", () => {
    const accuracy: Difference = { ...COMPARISON.accuracy, wilcoxonHolm: 1, wilcoxonSmallestHolm: 1 };
    const text = documentOf({ comparisons: [{ ...COMPARISON, accuracy }] }).querySelector("#comparisons")?.textContent;
    expect(text).toContain("verdict");
    expect(text).not.toContain("signed rank");
  });

  test("the best epoch by validation, where there is one", () => {
    const [shuffled, sorted] = rowsOf(documentOf({ arms: [bestArm("shuffled")] }), "results");
    expect(shuffled.slice(3, 5)).toEqual(["76.54 ± 1.23", "2.5 ± 0.5"]);
    expect(sorted.slice(3, 5)).toEqual(["–", "–"]);
  });

  test("the cost to reach the target, as the table shows it: the median where a mean is not known", () => {
    const data = readReportData(make(SMALL));
    const runs = data.arms[0].runs.map((run): RecordedRun => ({ ...run, state: run.document.state }));
    // Reaches 0.7 after the second epoch with both seeds: 24 samples, 2 × (1.5 + 0.25) s of training and scoring.
    const cost = costOfArm(runs, 0.7);
    const arms = [
      { ...bestArm("shuffled"), cost },
      { ...bestArm("sorted"), cost: costOfArm(runs, 0.99) },
    ];
    const found = documentOf({ target: { accuracy: 0.7, from: "config" }, arms });
    expect(rowsOf(found, "cost-to-target")).toEqual([
      ["shuffled", "2 of 2", "median 2.0", "median 24", "median 6.0"],
      ["sorted", "0 of 2, 2 never", "–", "–", "–"],
    ]);
    const noteOf = (page: Page, id: string) => page.querySelector(`#${id}-note`)?.textContent ?? "";
    expect(noteOf(found, "cost-to-target")).toMatch(/\(as the config says\): median over seeds\.$/);
    expect(noteOf(found, "seconds-to-target")).toContain("their sum: mean over the runs that reached it. Orders");
    const [parts] = rowsOf(found, "seconds-to-target");
    expect(parts).toEqual(["shuffled", "3.00", "0.50", "2.00", "0.50", "6.00", "0.00"]); // of two epochs; they add up
    const half = { ...bestArm("sorted"), cost: costOfArm(runs, 0.85) }; // one of two reaches it
    const cut = documentOf({ target: { accuracy: 0.7, from: "config" }, arms: [arms[0], half] });
    expect(rowsOf(cut, "seconds-to-target")).toHaveLength(1);
    expect(noteOf(cut, "seconds-to-target")).toContain("the runs that reached it, of arms where more than half did.");
  });

  test("without statistics: plain differences, and why there are none", () => {
    const text = documentOf({ comparisons: [], lack: "scipy is missing." }).querySelector("#answer")?.textContent;
    expect(text).toContain("sorted is 12.50 points below shuffled");
    expect(text).toContain("There are no statistics: scipy is missing.");
  });
});

describe("BatchNorm", () => {
  const measured = (accuracy: number) => ({ loss: 1 - accuracy, accuracy, count: 100 });
  const batchNorm = {
    test: { running: measured(0.1), batch: measured(0.8), reestimated: measured(0.7) },
    ownBatches: { batch: measured(0.95), running: measured(0.15) },
  };
  const pageOf = () => parseHTML(renderPage(readReportData(make({ ...SMALL, batchNorm })))).document;

  test("an alarm stands at the top of the answer", () => {
    const warning = pageOf().querySelector("#answer .warning");
    expect(warning?.textContent).toContain("sorted classifies 95.0 % of the training samples in its own batches right");
    expect(warning?.previousElementSibling?.tagName).toBe("H2");
  });

  test("the same samples under each of the statistics", () => {
    expect(rowsOf(pageOf(), "batch-norm-statistics")[1]).toEqual([
      "sorted",
      "10.00 ± 0.00loss 0.9000 ± 0.0000",
      "80.00 ± 0.00loss 0.2000 ± 0.0000",
      "70.00 ± 0.00loss 0.3000 ± 0.0000",
      "95.00 ± 0.00loss 0.0500 ± 0.0000",
      "15.00 ± 0.00loss 0.8500 ± 0.0000",
    ]);
  });
});
