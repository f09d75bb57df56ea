import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseHTML } from "linkedom";
import { describe, expect, onTestFinished, test } from "vitest";
import { renderPage } from "../../src/page/page.js";
import { readReportData } from "../../src/page/read.js";
import { COMPARISON, findings } from "./findings-scene.js";
import { type MadeExperiment, make, makeIn, SMALL } from "./scene.js";

const RECORDED = fileURLToPath(new URL("recorded", import.meta.url));

const firstEpochs = (arms: MadeExperiment["arms"], epochs: number): MadeExperiment["arms"] =>
  Object.fromEntries(
    Object.entries(arms).map(([arm, runs]) => [
      arm,
      Object.fromEntries(
        Object.entries(runs).map(([seed, run]) => [seed, { ...run, accuracies: run.accuracies.slice(0, epochs) }]),
      ),
    ]),
  );

const pageOf = (experiment: MadeExperiment): string => renderPage(readReportData(make(experiment)));

const documentOf = (page: string) => parseHTML(page).document;

const textOf = (page: string): string =>
  (documentOf(page).querySelector("body")?.textContent ?? "").replace(/\s+/g, " ");

/** The chart of this title: labels at its lines' ends by arm, and its y axis from two of its ticks. */
function chartOf(page: string, title: string) {
  const svg = documentOf(page).querySelector(`svg[aria-label="${title}"]`);
  if (svg === null) throw new Error(`no chart "${title}"`);
  const ends = [...svg.querySelectorAll(".ends text")].map(
    (text) => [text.firstChild?.textContent ?? "", Number(text.getAttribute("data-value"))] as const,
  );
  const dots = [...svg.querySelectorAll(".ends circle")].map((dot) => Number(dot.getAttribute("cy")));
  const ticks = [...svg.querySelectorAll('g[aria-label="y-axis tick label"] text')].map((text) => ({
    value: Number(text.textContent),
    y: Number(/translate\([^,]+,([^)]+)\)/.exec(text.getAttribute("transform") ?? "")?.[1]),
  }));
  return { ends: Object.fromEntries(ends), dots, ticks };
}

describe("a tiny experiment", () => {
  // After a change of the record: IBATCH_RECORD=1 npx vitest run test/page/page.test.ts -u; of the page alone: -u.
  test("gives the page that is on record, from files that are on record", async () => {
    if (process.env.IBATCH_RECORD === "1") {
      rmSync(RECORDED, { recursive: true, force: true });
      makeIn(RECORDED, { ...SMALL, epochs: 2, arms: firstEpochs(SMALL.arms, 2) });
    }
    const page = renderPage(readReportData(RECORDED), findings());
    expect(Buffer.byteLength(page)).toBeLessThan(150_000);
    await expect(page).toMatchFileSnapshot("golden.html");
  });

  test("equal data give equal bytes, wherever they lie", () => {
    const first = make(SMALL);
    const other = mkdtempSync(join(tmpdir(), "ibatch-elsewhere-"));
    onTestFinished(() => rmSync(other, { recursive: true }));
    cpSync(first, other, { recursive: true });
    const page = renderPage(readReportData(first));
    expect(renderPage(readReportData(other))).toBe(page);
    expect(page).not.toContain(tmpdir());
  });

  test("loads nothing: no script, no address", () => {
    const page = pageOf(SMALL);
    expect(page).not.toMatch(/<script|<link rel="stylesheet|@import|url\(|src="(?!data:)/);
    expect(page.replaceAll("http://www.w3.org/", "")).not.toMatch(/https?:/);
  });

  test("its table has the means and standard deviations of the last epoch", () => {
    const rows = [...documentOf(pageOf(SMALL)).querySelectorAll("#results tbody tr")].map((row) =>
      [...row.querySelectorAll("th, td")].map((cell) => cell.textContent?.trim()),
    );
    // 0.8125 and 0.875: mean 0.84375, sd 0.0625 / √2; losses are 2 (1 - accuracy).
    expect(rows).toEqual([
      ["shuffled", "84.38 ± 4.42", "0.3125 ± 0.0884", "2 of 2"],
      ["sorted", "71.88 ± 4.42", "0.5625 ± 0.0884", "2 of 2"],
    ]);
  });

  test("without other sentences, says the paired differences", () => {
    // Seed 0: 75 - 81.25 = -6.25; seed 1: 68.75 - 87.5 = -18.75.
    expect(textOf(pageOf(SMALL))).toContain(
      "sorted is 12.50 points below shuffled in test accuracy, in the mean over 2 paired seeds (−18.75 to −6.25).",
    );
  });

  test.each([
    ["Accuracy on the test set over epochs", { shuffled: 0.84375, sorted: 0.71875 }],
    ["Accuracy on the training sample over epochs", { shuffled: 0.89375, sorted: 0.76875 }],
    ["Loss on the test set over epochs", { shuffled: 0.3125, sorted: 0.5625 }],
    ["Accuracy on the test set over samples trained on", { shuffled: 0.84375, sorted: 0.71875 }],
    ["Loss on the test set over seconds of training and scoring", { shuffled: 0.3125, sorted: 0.5625 }],
  ])("its curves end at the recorded numbers: %s", (title, expected) => {
    const { ends } = chartOf(pageOf(SMALL), title);
    expect(Object.keys(ends)).toEqual(Object.keys(expected));
    for (const [arm, value] of Object.entries(expected)) expect(ends[arm]).toBeCloseTo(value, 12);
  });

  test("its curves end where the axis has those numbers", () => {
    const { dots, ticks } = chartOf(pageOf(SMALL), "Accuracy on the test set over epochs");
    const [low, high] = [ticks[0], ticks[ticks.length - 1]];
    const read = dots.map((y) => low.value + ((y - low.y) / (high.y - low.y)) * (high.value - low.value));
    expect(read[0]).toBeCloseTo(84.375, 1);
    expect(read[1]).toBeCloseTo(71.875, 1);
  });

  test("its confusion matrix counts both seeds", () => {
    const svg = documentOf(pageOf(SMALL)).querySelector('svg[aria-label="Confusion matrix of sorted"]');
    const counts = [...(svg?.querySelectorAll("text[text-anchor=middle]") ?? [])].map((text) => text.textContent);
    // Labels 0 1 2 0 1 2 …; samples 0, 4 and 8 are taken for class 0: of the classes 0, 1 and 2.
    expect(counts).toEqual(["0", "1", "2", "8", "2", "6", "2", "6"]);
  });
});

test("it says in which precision and memory format runs were made, where the record does", () => {
  const rowsOf = (settings: Record<string, unknown>) => {
    const page = pageOf({ ...SMALL, arms: { ...SMALL.arms, other: { 0: { accuracies: [0.5, 0.6, 0.7], settings } } } });
    const rows = [...documentOf(page).querySelectorAll("#made-with tr")];
    const texts = rows.map((row) => [...row.children].map((cell) => cell.textContent?.trim()).join(": "));
    return texts.filter((text) => /^(precision|memory format)/.test(text));
  };
  expect(rowsOf({ precision: "tf32", memoryFormat: "channels_last" })).toEqual([
    "precision: tf32",
    "memory format: channels_last",
  ]);
  expect(rowsOf({})).toEqual([]);
});

describe("with 40,000 classes", () => {
  const MANY = { ...SMALL, classNames: Array.from({ length: 40_000 }, (_, label) => `breed ${label}`) };

  test("the page stays small, and says what was confused in words", () => {
    const page = pageOf(MANY);
    expect(page.length).toBeLessThan(1.1 * pageOf(SMALL).length);
    const section = documentOf(page).querySelector("#confusion");
    expect(section?.querySelectorAll("svg")).toHaveLength(0);
    expect([...(section?.querySelectorAll("ol") ?? [])].map((list) => list.textContent)).toEqual([
      "breed 1 taken for breed 0: 2 timesbreed 2 taken for breed 0: 2 times",
      "breed 1 taken for breed 0: 2 timesbreed 2 taken for breed 0: 2 times",
    ]);
    expect(section?.textContent).toContain("counted over 2 seeds");
  });

  test("rows of a batch's classes stand for several, and the samples are those of few classes", () => {
    const page = pageOf(MANY);
    expect(textOf(page)).toContain("A row 200 classes, one beside the other by number, a column a batch");
    const rows = documentOf(page).querySelectorAll('svg[aria-label="Classes in the batches of sorted"] text');
    expect([...rows].map((text) => text.textContent).slice(0, 3)).toEqual(["0", "4000", "8000"]);
    const classes = [...documentOf(page).querySelectorAll("#samples h3")].map((heading) => heading.textContent);
    expect(classes).toEqual(["Class 0: breed 0", "Class 1: breed 1", "Class 2: breed 2"]);
  });

  test.each([
    [200, 200],
    [201, 101],
  ])("%d of them have %d rows", (count, rows) => {
    const classNames = MANY.classNames.slice(0, count);
    const data = readReportData(make({ ...SMALL, classNames }));
    const [{ example, confusion }] = data.arms;
    expect(example?.composition?.counts).toHaveLength(rows);
    expect(confusion?.counts?.length).toBe(count === 200 ? 200 : undefined);
  });
});

describe("what is data is text on the page", () => {
  const evil = '<script>alert("x")</script>';

  test("names, errors, classes, the command", () => {
    const page = pageOf({
      ...SMALL,
      name: evil,
      arms: { ...SMALL.arms, "a&b<i>": { 0: { accuracies: [0.5], state: "failed", error: `no ${evil}` } } },
    });
    expect(page).not.toContain("<script");
    expect(page).not.toContain("<i>");
    expect(page).not.toContain("<b>owl");
    expect(textOf(page)).toContain(`a&b<i>, seed 0 failed: no ${evil}`);
    expect(documentOf(page).querySelector("h1")?.textContent).toBe(evil);
  });

  test("sentences and notes", () => {
    const found = findings({ comparisons: [{ ...COMPARISON, sentence: evil }], notes: [evil] });
    expect(renderPage(readReportData(make(SMALL)), found)).not.toContain("<script");
  });
});

describe("what is not whole", () => {
  test("a half-finished experiment: says so, and shows what is there", () => {
    const text = textOf(
      pageOf({
        ...SMALL,
        labels: false,
        arms: { shuffled: SMALL.arms.shuffled, sorted: { 0: { accuracies: [0.3], state: "interrupted" } } },
      }),
    );
    expect(text).toContain("Not finished: 2 of 4 runs ended.");
    expect(text).toContain("sorted cannot be compared with shuffled yet");
    expect(text).toContain("sorted, seed 0 was interrupted");
    expect(text).toContain("Which classes the batches held is not shown");
    expect(text).toContain("Not shown: this record has no predictions");
  });

  test("runs that failed are no result; what diverged is told beside differences that leave it out", () => {
    const failed = { accuracies: [], state: "failed", error: "no memory" } as const;
    const diverged = { accuracies: [0.3], state: "diverged", divergedAtStep: 4 } as const;
    const of = (one: MadeExperiment["arms"][string]) =>
      textOf(pageOf({ ...SMALL, labels: false, arms: { shuffled: SMALL.arms.shuffled, sorted: one } }));
    const text = of({ 0: failed, 1: diverged });
    expect(text).toContain("Not finished: 3 of 4 runs ended with a result, and 1 failed.");
    const all = of({ 0: diverged, 1: diverged });
    expect(all).toContain(
      "sorted cannot be compared with shuffled: no seed was finished by both. It diverged in 2 of 2 runs, shuffled in 0 of 2, which have no part in this.",
    );
  });

  test("a run that went on from checkpoints says from which, and by which other ibatch", () => {
    const resumed = [
      { at: "2026-11-28T10:00:00Z", step: 4 },
      { at: "2026-11-28T11:00:00Z", step: 6, ibatchVersion: "0.2.0" },
    ];
    const shuffled = { ...SMALL.arms.shuffled, 1: { ...SMALL.arms.shuffled[1], resumed } };
    const page = pageOf({ ...SMALL, arms: { ...SMALL.arms, shuffled } });
    expect(textOf(page)).toContain("shuffled, seed 1: from its checkpoint at step 4, 6 (ibatch 0.2.0)");
    expect(textOf(pageOf(SMALL))).not.toContain("from its checkpoint");
  });

  test("nothing ran yet", () => {
    const text = textOf(pageOf({ arms: { shuffled: {}, sorted: {} } }));
    expect(text).toContain("0 of 4 runs ended");
    expect(text).toContain("No epoch was evaluated yet");
  });

  test("no baseline", () => {
    const { baseline, ...rest } = SMALL;
    expect(baseline).toBe("shuffled");
    expect(textOf(pageOf(rest))).toContain("No arm is the baseline");
  });

  test("one seed: no band, no standard deviation", () => {
    const page = pageOf({
      seeds: [7],
      baseline: "a",
      arms: { a: { 7: { accuracies: [0.5, 0.6, 0.75] } }, b: { 7: { accuracies: [0.5, 0.6, 0.75] } } },
    });
    expect(textOf(page)).toContain("One seed (7), so there is no band.");
    expect(textOf(page)).toContain(
      "b differs from a by 0.00 points of test accuracy, on the one seed that both finished.",
    );
    expect(documentOf(page).querySelector("#results tbody td")?.textContent).toBe("75.00");
    expect(documentOf(page).querySelector('#curves g[aria-label="area"]')).toBeNull();
  });

  test("one epoch: a dot", () => {
    const page = pageOf({ epochs: 1, seeds: [0], arms: { a: { 0: { accuracies: [0.5] } } } });
    expect(chartOf(page, "Accuracy on the test set over epochs")).toMatchObject({ ends: { a: 0.5 } });
    expect(page).not.toContain("NaN");
  });

  test("no training sample: a line in place of the chart", () => {
    expect(textOf(pageOf({ ...SMALL, trainSample: false }))).toContain("No sample of the training set was evaluated");
  });

  test("a diverged run: counted, told, and marked with a cross", () => {
    const page = pageOf({
      ...SMALL,
      arms: {
        shuffled: SMALL.arms.shuffled,
        wild: {
          0: { accuracies: [0.5, 0.25], losses: [2, "Infinity"], state: "diverged", divergedAtStep: 7 },
          1: { accuracies: [0.1, 0.2, 0.25] },
        },
      },
    });
    expect(textOf(page)).toContain("wild, seed 0 diverged at step 7");
    expect(textOf(page)).toContain("1 of 2, 1 diverged");
    const cross = documentOf(page).querySelector(
      'svg[aria-label="Loss on the test set over epochs"] g[aria-label="dot"]',
    );
    expect(cross?.children.length).toBe(1);
    expect(page).not.toMatch(/d="[^"]*(NaN|Infinity)/);
  });

  test("losses that are all NaN: told, and nothing is drawn from them", () => {
    const losses = ["NaN", "NaN", "NaN"] as const;
    const page = pageOf({ seeds: [0], arms: { a: { 0: { accuracies: [0.1, 0.1, 0.1], losses } } } });
    expect(textOf(page)).toContain("a, seed 0: test loss is NaN after the last epoch");
    expect(documentOf(page).querySelector('svg[aria-label="Loss on the test set over epochs"]')).toBeNull();
    expect(page).not.toMatch(/(d|cx|cy|x|y)="[^"]*NaN/);
  });

  test("a number of arms that fill a chart: one by one as well", () => {
    const arms = Object.fromEntries(
      Array.from({ length: 9 }, (_, at) => [`arm-${at}`, { 0: { accuracies: [0.1, at / 10] } }]),
    );
    const page = pageOf({ seeds: [0], epochs: 2, baseline: "arm-0", arms });
    expect(documentOf(page).querySelectorAll("#one-by-one figure").length).toBe(8);
  });
});
