import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { chooseProgress, duration, fit } from "../../src/cli/progress.js";
import type { RunOutcome, RunPlace } from "../../src/experiment/observer.js";
import type { EpochMetrics } from "../../src/record/epoch-metrics.js";

const place: RunPlace = { arm: "frozen", seed: 5, number: 2, total: 12, epochs: 3 };
const epoch = (number: number, train: EpochMetrics["train"]["loss"] = 0.5): EpochMetrics => ({
  epoch: number,
  step: 1,
  batches: 1,
  samples: 1,
  scored: 0,
  batchSize: { smallest: 1, largest: 5 },
  learningRate: { first: 0.1, last: 0.1 },
  train: { loss: train, accuracy: 0, count: 1 },
  test: { loss: 1, accuracy: 0.9123, count: 1 },
  order: { distinct: 10, mostDrawn: 1, effectiveDataSize: 10 },
  orderSha256: "",
  planSha256: "",
});
const outcome = (values: Partial<RunOutcome> = {}): RunOutcome => ({
  state: "done",
  kept: false,
  error: undefined,
  divergedAtStep: undefined,
  last: epoch(2),
  ...values,
});

let written = "";
let now = 0;
beforeEach(() => {
  written = "";
  now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    written += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** As if standard error were a terminal of 200 columns, or none. */
function terminal(isTTY: boolean): void {
  const before = { isTTY: process.stderr.isTTY, columns: process.stderr.columns };
  Object.assign(process.stderr, { isTTY, columns: 200 });
  onTestFinished(() => {
    Object.assign(process.stderr, before);
  });
}

async function watch(quiet = false) {
  const logged: string[] = [];
  const progress = (await chooseProgress({ quiet }))("small");
  return { logged, progress, observer: progress.observer((line) => logged.push(line)) };
}

describe("where standard error is no terminal: plain lines", () => {
  beforeEach(() => terminal(false));

  test.each<[string, Partial<RunOutcome>, string]>([
    ["done", {}, "done: epoch 3/3, train loss 0.5000, test accuracy 91.23 %"],
    ["kept", { kept: true }, "kept, done: epoch 3/3, train loss 0.5000, test accuracy 91.23 %"],
    [
      "diverged",
      { state: "diverged", divergedAtStep: 97, last: epoch(0, "NaN") },
      "diverged at step 97: epoch 1/3, train loss NaN, test accuracy 91.23 %",
    ],
    ["diverged in the first epoch", { state: "diverged", divergedAtStep: 0, last: undefined }, "diverged at step 0"],
    ["failed", { state: "failed", error: "no memory", last: undefined }, "failed: no memory"],
  ])("a run's end is a line, and one of the log: %s", async (_, values, expected) => {
    const { observer, logged } = await watch();
    observer.runEnded?.(place, outcome(values));
    expect(written).toBe(`[3/12] frozen, seed 5  ${expected}\n`);
    expect(logged).toEqual([written.trimEnd()]);
  });

  test("a run's start is a line, and one of the log", async () => {
    const { observer, logged } = await watch();
    observer.runStarted?.(place);
    expect(logged).toEqual(["[3/12] frozen, seed 5  started"]);
    expect(written).toBe("[3/12] frozen, seed 5  started\n");
  });

  test("a run that goes on says from where, and its speed is of what it trains now", async () => {
    const { observer } = await watch();
    observer.runStarted?.(place, { step: 40, samples: 50_000, epoch: 1 });
    expect(written).toBe("[3/12] frozen, seed 5  goes on from step 40, in epoch 2/3\n");
    written = "";
    now = 40_000;
    observer.trained?.(place, { epoch: 1, samples: 70_000, share: 0.5, loss: 0.25 });
    expect(written).toContain(" 500 samples/s");
  });

  test("a chunk is a line when none came for thirty seconds", async () => {
    const { observer, logged } = await watch();
    observer.trained?.({ ...place, number: 1 }, { epoch: 2, samples: 10_000, share: 1, loss: 0.25 });
    observer.runStarted?.(place);
    written = "";
    now = 30_000;
    observer.trained?.(place, { epoch: 1, samples: 20_000, share: 0.4, loss: 0.25 });
    expect(written).toBe("");
    now = 30_001;
    observer.trained?.(place, { epoch: 1, samples: 20_003, share: 0.416, loss: 0.25 });
    observer.trained?.(place, { epoch: 1, samples: 30_000, share: 0.5, loss: 0.25 });
    expect(written).toBe("[3/12] frozen, seed 5  epoch 2/3, 41 % of the run, train loss 0.2500, 1,000 samples/s\n");
    expect(logged).toHaveLength(1);
  });

  test("of a run whose length is a budget no count of epochs is told", async () => {
    const { observer } = await watch();
    now = 30_001;
    observer.trained?.({ ...place, epochs: undefined }, { epoch: 1, samples: 30_001, share: 0.4, loss: 0.25 });
    expect(written).toBe("[3/12] frozen, seed 5  epoch 2, 40 % of the run, train loss 0.2500, 1,000 samples/s\n");
  });

  test("an epoch is a line when none came for five seconds", async () => {
    const { observer } = await watch();
    now = 4_000;
    observer.epochEnded?.(place, epoch(0));
    expect(written).toBe("");
    now = 5_001;
    observer.epochEnded?.(place, epoch(0));
    expect(written).toBe("[3/12] frozen, seed 5  epoch 1/3, train loss 0.5000, test accuracy 91.23 %\n");
    now = 9_000;
    observer.epochEnded?.(place, epoch(1));
    expect(written.split("\n")).toHaveLength(2);
  });

  test("the last epoch is told by the run's end, not twice", async () => {
    const { observer } = await watch();
    now = 60_000;
    observer.epochEnded?.(place, epoch(2));
    expect(written).toBe("");
  });

  test("a run that looks at no test set tells the accuracy on what is held out", async () => {
    const { test: _, ...line } = epoch(2);
    (await watch()).observer.runEnded?.(
      place,
      outcome({ last: { ...line, validation: { loss: 1, accuracy: 0.8, count: 5 } } }),
    );
    expect(written).toContain("done: epoch 3/3, train loss 0.5000, validation accuracy 80.00 %");
  });

  test("an epoch that was not evaluated has no test accuracy to tell", async () => {
    const { observer } = await watch();
    now = 60_000;
    const { test: _, ...untested } = epoch(0);
    observer.epochEnded?.(place, untested);
    expect(written).toBe("[3/12] frozen, seed 5  epoch 1/3, train loss 0.5000\n");
  });
});

test("--quiet writes nothing, and logs the same", async () => {
  terminal(true);
  const { observer, logged, progress } = await watch(true);
  observer.runStarted?.(place);
  observer.epochEnded?.(place, epoch(0));
  observer.runEnded?.(place, outcome());
  progress.end();
  expect(written).toBe("");
  expect(logged).toHaveLength(2);
});

test.each([
  ["NO_COLOR", "1"],
  ["TERM", "dumb"],
])("a terminal with %s=%s gets plain lines: nothing is redrawn", async (name, value) => {
  terminal(true);
  vi.stubEnv(name, value);
  const { observer, progress } = await watch();
  observer.runEnded?.(place, outcome());
  progress.end();
  expect(written).not.toContain("\u001b");
});

describe("on a terminal: one line redrawn, ended runs above it", () => {
  beforeEach(() => {
    terminal(true);
    vi.stubEnv("NO_COLOR", undefined);
    vi.stubEnv("TERM", "xterm");
  });
  const visible = () => stripVTControlCharacters(written);

  test("says where it is, how long it will take and how fast it goes", async () => {
    const { observer } = await watch();
    expect(visible()).toContain("small: starting the backend …");
    written = "";
    const first = { ...place, number: 0, total: 5 };
    observer.runStarted?.(first);
    now = 10_000;
    observer.trained?.(first, { epoch: 1, samples: 12_345, share: 0.5, loss: 0.25 });
    expect(visible()).toContain(
      "small ██░░░░░░░░░░░░░░░░░░ 10 % · 1:30 left · [1/5] frozen, seed 5 · epoch 2/3 · train loss 0.2500 · 1,235 samples/s",
    );
  });

  test("runs that were kept count for the bar, not for the time", async () => {
    const { observer } = await watch();
    observer.runEnded?.({ ...place, number: 0, total: 4 }, outcome({ kept: true }));
    observer.runEnded?.({ ...place, number: 1, total: 4 }, outcome({ kept: true }));
    written = "";
    now = 10_000;
    observer.trained?.({ ...place, number: 2, total: 4 }, { epoch: 0, samples: 100, share: 1, loss: 1 });
    expect(visible()).toContain("75 % · 0:10 left · [3/4]");
  });

  test.each([
    ["epochs", 3],
    ["a budget", undefined],
  ])(
    "what an earlier command trained of a run of %s counts for the bar, not for the time; what was trained here does",
    async (_, epochs) => {
      const { observer } = await watch();
      const run = { ...place, number: 0, total: 1, epochs };
      observer.runStarted?.(run, { step: 40, samples: 2000, epoch: 2 });
      now = 10_000;
      written = "";
      observer.trained?.(run, { epoch: 2, samples: 2500, share: 2.5 / 3, loss: 1 });
      expect(visible()).toContain("83 % · 0:10 left");
      expect(visible()).toContain(" 50 samples/s");
      observer.runStarted?.(run, { step: 40, samples: 2000, epoch: 2 }); // its backend was lost
      now = 20_000;
      written = "";
      observer.trained?.(run, { epoch: 2, samples: 2500, share: 2.5 / 3, loss: 1 });
      expect(visible()).toContain("83 % · 0:20 left");
      expect(visible()).toContain(" 50 samples/s");
    },
  );

  test("samples are counted over runs", async () => {
    const { observer } = await watch();
    observer.runStarted?.(place);
    now = 500;
    observer.trained?.(place, { epoch: 0, samples: 1000, share: 1, loss: 1 });
    observer.runStarted?.({ ...place, number: 3 });
    now = 10_000;
    written = "";
    observer.trained?.({ ...place, number: 3 }, { epoch: 0, samples: 500, share: 0.5, loss: 1 });
    expect(visible()).toContain("150 samples/s");
  });

  test("is redrawn at most ten times a second", async () => {
    const { observer } = await watch();
    now = 1000;
    observer.trained?.(place, { epoch: 0, samples: 1, share: 0.1, loss: 1 });
    written = "";
    now = 1099;
    observer.trained?.(place, { epoch: 0, samples: 2, share: 0.2, loss: 1 });
    expect(written).toBe("");
    now = 1100;
    observer.trained?.(place, { epoch: 0, samples: 3, share: 0.3, loss: 1 });
    expect(written).not.toBe("");
  });

  test.each([
    [80, "[3/12] hardest-first-rescored, seed 5  kept, done: test accuracy 91.23 %"],
    [91, "[3/12] hardest-first-rescored, seed 5  kept, done: train loss 0.5000, test accuracy 91.23 %"],
    [60, "[3/12] hardest-first-rescored, seed 5  kept, done"],
    [40, "[3/12] hardest-firs…, seed 5  kept, done"],
  ])("in %d columns a run's end is one line, and whole in the log", async (columns, expected) => {
    Object.assign(process.stderr, { columns });
    const { observer, logged } = await watch();
    written = "";
    observer.runEnded?.({ ...place, arm: "hardest-first-rescored" }, outcome({ kept: true }));
    expect(visible().trimEnd()).toBe(expected);
    expect(expected.length).toBeLessThanOrEqual(columns);
    expect(logged).toEqual([
      "[3/12] hardest-first-rescored, seed 5  kept, done: epoch 3/3, train loss 0.5000, test accuracy 91.23 %",
    ]);
  });

  test("of runs side by side each has a line, in their sequence, below one of all", async () => {
    const { observer } = await watch();
    const [second, third] = [
      { ...place, number: 1, total: 4, arm: "shuffled" },
      { ...place, number: 2, total: 4 },
    ];
    observer.runEnded?.({ ...place, number: 0, total: 4 }, outcome());
    observer.runStarted?.(third);
    observer.runStarted?.(second);
    now = 10_000;
    observer.trained?.(third, { epoch: 0, samples: 500, share: 0.25, loss: 0.5 });
    written = "";
    now = 20_000;
    observer.trained?.(second, { epoch: 1, samples: 1500, share: 0.75, loss: 0.25 });
    expect(visible().trimEnd().split("\n").slice(-3)).toEqual([
      "small ██████████░░░░░░░░░░ 50 % · 0:20 left · 100 samples/s",
      "  [2/4] shuffled, seed 5 · epoch 2/3 · train loss 0.2500",
      "  [3/4] frozen, seed 5 · epoch 1/3 · train loss 0.5000",
    ]);
    observer.runEnded?.(second, outcome());
    written = "";
    now = 30_000;
    observer.trained?.(third, { epoch: 1, samples: 1000, share: 0.5, loss: 0.5 });
    expect(visible()).toContain("62 % · 0:18 left · [3/4] frozen, seed 5 · epoch 2/3");
  });

  test("more of them than a screen has lines are counted", async () => {
    const { observer } = await watch();
    for (let number = 0; number < 20; number++) {
      now += 1000;
      written = "";
      observer.trained?.({ ...place, number, total: 20 }, { epoch: 0, samples: 1, share: 0.5, loss: 1 });
    }
    const lines = visible().trimEnd().split("\n");
    expect(lines.filter((line) => line.includes("/20]"))).toHaveLength(16);
    expect(lines.at(-1)).toBe("  and 4 more");
  });

  test("a run's end stays above the line", async () => {
    const { observer } = await watch();
    written = "";
    observer.runEnded?.(place, outcome());
    expect(visible()).toContain("[3/12] frozen, seed 5  done: epoch 3/3, train loss 0.5000, test accuracy 91.23 %\n");
  });
});

describe("fit", () => {
  const parts = ["small 12 %", "1:10 left", "[1/4] frozen"];
  test.each([
    [80, "small 12 % · 1:10 left · [1/4] frozen"],
    [37, "small 12 % · 1:10 left · [1/4] frozen"],
    [36, "small 12 % · 1:10 left"],
    [10, "small 12 %"],
    [5, "small"],
  ])("in %d columns: %s", (columns, expected) => {
    expect(fit(parts, columns)).toBe(expected);
  });
});

describe("duration", () => {
  test.each([
    [0, "0:00"],
    [9.4, "0:09"],
    [59.6, "1:00"],
    [309, "5:09"],
    [3599.7, "1:00:00"],
    [3909, "1:05:09"],
    [360_000, "100:00:00"],
    [Number.POSITIVE_INFINITY, "?"],
    [Number.NaN, "?"],
  ])("%d s is %s", (seconds, expected) => {
    expect(duration(seconds)).toBe(expected);
  });
});
