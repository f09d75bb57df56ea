// What no run can have recorded, in records of before there were checksums.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { epochMetrics, epochTimings } from "../../src/record/epoch-metrics.js";
import { readRun } from "../../src/record/read-run.js";
import { mistake } from "../mistake.js";
import { make, SMALL } from "../page/scene.js";

/** A finished run as it was recorded before there were checksums, with `change` made to the text of one file. */
function old(file: string, change: (text: string) => string): string {
  const run = join(make(SMALL), "sorted", "seed-1");
  rmSync(join(run, "SHA256SUMS"));
  const { checksums: _, ...document } = JSON.parse(readFileSync(join(run, "run.json"), "utf8"));
  writeFileSync(join(run, "run.json"), JSON.stringify(document));
  writeFileSync(join(run, file), change(readFileSync(join(run, file), "utf8")));
  return run;
}

const lines = (change: (lines: string[]) => string[]) => (text: string) =>
  change(text.trimEnd().split("\n"))
    .map((line) => `${line}\n`)
    .join("");

test("one that is whole is read", () => {
  expect(readRun(old("run.json", (text) => text))?.metrics.map(({ test }) => test?.accuracy)).toEqual([
    0.45, 0.5, 0.6875,
  ]);
});

test.each<[string, string, (text: string) => string, string]>([
  ["an accuracy of 7", "metrics.jsonl", (text) => text.replace('"accuracy":0.6875', '"accuracy":7'), "line 3: "],
  ["half a sample", "metrics.jsonl", (text) => text.replace('"samples":12', '"samples":12.5'), "line 1: samples: "],
  ["lines swapped", "metrics.jsonl", lines(([a, b, c]) => [b, a, c]), "line 1 is of epoch 1, expected 0"],
  ["a line doubled", "metrics.jsonl", lines(([a, b, c]) => [a, a, b, c]), "line 2 is of epoch 0, expected 1"],
  ["a line lost", "metrics.jsonl", lines(([a, b]) => [a, b]), "timings.jsonl has 3 epochs, metrics.jsonl 2"],
  ["an empty line", "metrics.jsonl", lines(([a, b, c]) => [a, b, "", c]), "line 3: it is empty"],
  ["another epoch", "metrics.jsonl", (text) => text.replace('"epoch":2', '"epoch":4'), "line 3 is of epoch 4"],
  ["a step back", "metrics.jsonl", (text) => text.replace('"step":9', '"step":2'), "line 3 ends at step 2, the line"],
  ["a rate below 0", "metrics.jsonl", (text) => text.replace('"first":0.1', '"first":-0.1'), "line 1: learningRate"],
  ["an age of -3", "metrics.jsonl", (text) => text.replace('Steps":3', 'Steps":-3'), "line 1: order.meanLossAgeSteps"],
  ["half a thread", "run.json", (text) => text.replace(/"threads": ?1/, '"threads":0.5'), "surroundings.threads: "],
  ["timings swapped", "timings.jsonl", lines(([a, b, c]) => [a, c, b]), "line 2 is of epoch 2, expected 1"],
  ["no timings", "timings.jsonl", () => "", "timings.jsonl has 0 epochs, metrics.jsonl 3"],
  ["diverged at no step", "run.json", (text) => text.replace('"done"', '"diverged"'), "it says diverged, but"],
  ["another seed", "run.json", (text) => text.replace('"seed":1', '"seed":0'), "it is of sorted/seed-0"],
  ["more epochs to do", "run.json", (text) => text.replace('"epochs":3', '"epochs":4'), "has 3 of 4 epochs"],
])("%s is refused, and the file named", (_, file, change, why) => {
  const run = old(file, change);
  const message = mistake(() => readRun(run));
  expect(message).toContain(why);
  expect(message).toContain(`${run}/`);
});

/** A line that a run recorded, with one number changed. */
const timings = { epoch: 0, orderingSeconds: 0, trainingSeconds: 1, scoringSeconds: 0, evaluatingSeconds: 1 };
const line = { ...timings, wireSeconds: -0.001, waitingSeconds: 0.001, totalSeconds: 2 };

test("time on the wire alone may be below 0, as a difference of what two clocks say", () => {
  expect(epochTimings.safeParse(line).success).toBe(true);
  const { wireSeconds: _, ...others } = line;
  for (const name of Object.keys(others)) {
    expect(epochTimings.safeParse({ ...line, [name]: -500 }).success, name).toBe(false);
  }
});

test("what is watched of an order has the range of what it is", () => {
  const monitors = { distinct: 12, mostDrawn: 1 };
  const whole = {
    effectiveDataSize: 12,
    meanInverseInclusion: 0.9,
    effectiveSampleSize: 11.5,
    meanWeight: 1,
    meanLossAgeSteps: 0,
    rankCorrelation: -1 - 2 ** -50, // as rounding may leave it
  };
  const [first] = readFileSync(join(make(SMALL), "sorted", "seed-1", "metrics.jsonl"), "utf8").split("\n");
  const isRead = (order: object) => epochMetrics.safeParse({ ...JSON.parse(first), order }).success;
  expect(isRead({ ...monitors, ...whole })).toBe(true);
  for (const name of Object.keys(whole)) expect(isRead({ ...monitors, ...whole, [name]: -2 }), name).toBe(false);
  expect(isRead({ ...monitors, ...whole, rankCorrelation: 2 })).toBe(false);
});

test("metrics of another seed are refused by the orders beside them", () => {
  const other = readFileSync(join(make(SMALL), "shuffled", "seed-0", "metrics.jsonl"), "utf8");
  const swapped = other.replaceAll(/"orderSha256":"[0-9a-f]+"/g, '"orderSha256":"0"');
  const run = old("metrics.jsonl", () => swapped);
  expect(mistake(() => readRun(run))).toContain("line 1 is of another order than orders/0000.json");
});
