// What `npm run bench -- training` makes of its figures and bars.
import { describe, expect, test } from "vitest";
import { CONTROL, LOOPS, NAMES, STARTS } from "../../bench/training/bars.mjs";
import { controlRow, loopRow, startRow } from "../../bench/training/report.mjs";
import { casesOn } from "../../src/bench/cases.js";

const ratio = (median: number) => ({ median, least: median - 0.5, most: median + 0.5 });
const loops = (median: number) => [
  { samplesPerSecond: 4000, oursIs: ratio(1) },
  { samplesPerSecond: 1000, oursIs: ratio(median) },
];
const usual = { model: "mnist-cnn", batchSize: 64, peer: "textbook", workers: 2, bar: 4 } as const;

describe("a ratio", () => {
  test("meets its bar from the bar on", () => {
    const row = loopRow(usual, { loops: loops(4) });
    expect(row).toEqual([
      "mnist-cnn, 64, × usual, num_workers=2",
      ...["4000 samples/s", "1000 samples/s", "4.00 × (3.50 … 4.50)", "≥ 4 ×", "met"],
    ]);
    expect(loopRow(usual, { loops: loops(3.99) }).at(-1)).toBe("**not met**");
  });

  test("names a loop that keeps freed memory", () => {
    const [name] = loopRow({ ...usual, peer: "bare-kept", bar: null }, { loops: loops(4) });
    expect(name).toBe("mnist-cnn, 64, × bare, freed memory kept");
  });

  test("without a bar is shown alone", () => {
    expect(loopRow({ ...usual, workers: 0, bar: null }, { loops: loops(4) }).slice(-2)).toEqual(["–", "–"]);
  });
});

test("control and starts meet their bars up to the bar", () => {
  const control = (shareOfEpoch: number) => controlRow(CONTROL, { control: { milliseconds: 12, shareOfEpoch } });
  expect([control(0.005).slice(-3), control(0.0051).at(-1)]).toEqual([
    ["0.50 % of it", "≤ 0.5 %", "met"],
    "**not met**",
  ]);
  const [help] = STARTS;
  expect(startRow(help, { median: 120, least: 110, most: 150 }).slice(3)).toEqual(["110 … 150 ms", "≤ 120 ms", "met"]);
  expect(startRow(help, { median: 120.5, least: 110, most: 150 }).at(-1)).toBe("**not met**");
});

test("each bar has a row beside it of the same loop with freed memory kept, as ours has it", () => {
  for (const { bar, model, batchSize, peer, workers } of LOOPS) {
    if (bar === null) continue;
    const beside = { model, batchSize, peer: `${peer}-kept`, workers, bar: null };
    expect(LOOPS).toContainEqual(expect.objectContaining(beside));
  }
});

test("cases have names of their own, and are cases that can be measured", () => {
  expect(new Set(NAMES).size).toBe(NAMES.length);
  for (const { model, batchSize } of [...LOOPS, CONTROL]) {
    expect(casesOn("cpu", { models: [model], batchSizes: [batchSize] })).toHaveLength(1);
  }
});
