import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { packageRoot } from "../../src/package-root.js";
import type { EpochMetrics, EpochTimings } from "../../src/record/epoch-metrics.js";
import { COST_KINDS, PARTS_OF_SECONDS } from "../../src/record/findings-document.js";
import {
  costBySeed,
  costOf,
  costOfArm,
  costToReach,
  finalAccuracy,
  meanSeconds,
  type RecordedRun,
} from "../../src/results/cost-to-reach.js";
import { readRunsOnRecord } from "../../src/results/recorded-experiment.js";

/** 100 samples an epoch, 10 more each epoch; 50 scored before every second one; without accuracy it was not evaluated. */
const epochMetrics = (epoch: number, accuracy: number | null): EpochMetrics => ({
  epoch,
  step: 10 * (epoch + 1),
  batches: 10,
  samples: 100 + 10 * epoch,
  scored: epoch % 2 === 1 ? 50 : 0,
  batchSize: { smallest: 10, largest: 10 },
  learningRate: { first: 0.1, last: 0.1 },
  train: { loss: 1, accuracy: 0, count: 100 },
  ...(accuracy === null ? {} : { test: { loss: 1, accuracy, count: 1000 } }),
  order: { distinct: 100, mostDrawn: 1, effectiveDataSize: 100 },
  orderSha256: "",
  planSha256: "",
});

/** Powers of two, so that sums are exact and each kind is told from the others. */
const epochTimings = (epoch: number): EpochTimings => ({
  epoch,
  orderingSeconds: 1 / 64,
  trainingSeconds: 2,
  scoringSeconds: epoch % 2 === 1 ? 1 / 2 : 0,
  evaluatingSeconds: 1 / 4,
  wireSeconds: 1 / 8,
  waitingSeconds: 1 / 16,
  totalSeconds: 4,
});

const run = (accuracies: readonly (number | null)[], changes: Partial<RecordedRun> = {}): RecordedRun => ({
  seed: 0,
  state: "done",
  metrics: accuracies.map((accuracy, epoch) => epochMetrics(epoch, accuracy)),
  timings: accuracies.map((_, epoch) => epochTimings(epoch)),
  ...changes,
});

describe("where seconds go", () => {
  const results = join(packageRoot, "docs", "results");

  test.each(["mnist", "fashion-mnist", "cifar10", "cifar10-batch-norm"])(
    "the parts of every recorded epoch of %s add up to its total",
    (name) => {
      const lines = readRunsOnRecord(join(results, name), []).runs.flatMap(({ timings }) => timings);
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines) {
        const sum = PARTS_OF_SECONDS.reduce((total, part) => total + line[`${part}Seconds`], 0);
        expect(sum).toBeCloseTo(line.totalSeconds, 6);
      }
    },
  );

  test("their mean is over the runs that reached the target, and adds up, too", () => {
    const timings = [0, 1].map((epoch) => ({ ...epochTimings(epoch), waitingSeconds: 1, totalSeconds: 0 }));
    const whole = timings.map((line) => ({
      ...line,
      totalSeconds: PARTS_OF_SECONDS.reduce((total, part) => total + line[`${part}Seconds`], 0),
    }));
    const runs = [run([0.5, 0.9], { timings: whole }), run([0.9, 0.9], { timings: whole }), run([0.1, 0.1])];
    const mean = meanSeconds(costOfArm(runs, 0.9));
    if (mean === null) throw new Error("two runs reached it");
    expect(mean.total).toBe((3.375 + 3.875 + 3.375) / 2);
    expect(PARTS_OF_SECONDS.reduce((total, part) => total + mean[part], 0)).toBe(mean.total);
    expect(meanSeconds(costOfArm([run([0.1])], 0.9))).toBeNull();
  });
});

describe("the cost of a run", () => {
  const rising = run([0.1, 0.5, 0.75, 0.9]);

  test("is counted to the end of the first epoch at the target", () => {
    expect(costToReach(rising, 0.75)).toEqual({
      seed: 0,
      state: "done",
      best: 0.9,
      cost: {
        epochs: 3,
        samples: 100 + 110 + 120,
        scored: 50,
        seconds: {
          training: 6,
          scoring: 1 / 2,
          evaluating: 3 / 4,
          ordering: 3 / 64,
          wire: 3 / 8,
          waiting: 3 / 16,
          total: 12,
        },
      },
    });
    expect(costToReach(rising, 0.7500001).cost?.epochs).toBe(4);
    expect(costToReach(rising, 0).cost?.epochs).toBe(1);
  });

  test("is null for one that does not come to the target, and says how near it came", () => {
    expect(costToReach(run([0.1, 0.8, 0.7]), 0.9)).toEqual({ seed: 0, state: "done", cost: null, best: 0.8 });
    expect(costToReach(run([null, null]), 0)).toEqual({ seed: 0, state: "done", cost: null, best: null });
    expect(costToReach(run([]), 0)).toEqual({ seed: 0, state: "done", cost: null, best: null });
  });

  test("counts the first time, though the run falls back below", () => {
    expect(costToReach(run([0.1, 0.8, 0.7, 0.9]), 0.75).cost?.epochs).toBe(2);
  });

  test("reaches it at evaluated epochs only, and pays for those between", () => {
    const cost = costToReach(run([null, 0.4, null, 0.9]), 0.5).cost;
    expect(cost).toMatchObject({ epochs: 4, samples: 100 + 110 + 120 + 130, scored: 100 });
  });

  test("an accuracy equal to the target but for rounding reaches it", () => {
    const target = (0.1 + 0.2) / 0.3; // 1.0000000000000002
    expect(target).toBeGreaterThan(1);
    expect(costToReach(run([1]), target).cost?.epochs).toBe(1);
  });

  test("has no seconds where a line is missing, and takes lines by their epoch", () => {
    const swapped = [epochTimings(1), epochTimings(0)];
    expect(costToReach(run([0.1, 0.9], { timings: swapped }), 0.5).cost?.seconds?.scoring).toBe(1 / 2);
    expect(costToReach(run([0.9, 0.9], { timings: swapped }), 0.5).cost?.seconds?.scoring).toBe(0);
    const cost = costToReach(run([0.1, 0.9], { timings: [epochTimings(1)] }), 0.5).cost;
    expect(cost).toMatchObject({ epochs: 2, samples: 210, seconds: null });
  });

  test("of a whole run", () => {
    expect(costOf(rising)).toMatchObject({ epochs: 4, samples: 460, scored: 100, seconds: { total: 16 } });
    expect(costOf(run([]))).toMatchObject({ epochs: 0, samples: 0, scored: 0, seconds: { total: 0 } });
  });
});

describe("the target that a baseline sets", () => {
  test("is the mean of the last epoch over runs that are done", () => {
    const runs = [run([0.9, 0.75]), run([0.5]), run([1], { state: "diverged" }), run([1], { state: "running" })];
    expect(finalAccuracy(runs)).toBe(0.625);
  });

  test("is none without such a run", () => {
    expect(finalAccuracy([])).toBeNull();
    expect(finalAccuracy([run([1], { state: "failed" }), run([])])).toBeNull();
  });

  test("is reached by runs that all end equal", () => {
    const runs = [0, 1, 2].map((seed) => run([0.9312], { seed }));
    expect(costOfArm(runs, finalAccuracy(runs) ?? Number.NaN).reached).toBe(3);
  });
});

describe("the cost of an arm", () => {
  const never = [0.1, 0.1, 0.1];
  const arm = costOfArm(
    [
      run([0.1, 0.1, 0.9], { seed: 7 }),
      run([0.9], { seed: 3 }),
      run(never, { seed: 5 }),
      run([0.1, 0.9], { seed: 6, state: "diverged" }),
      run([0.1], { seed: 8, state: "interrupted" }),
    ],
    0.5,
  );

  test("counts runs that reached it, that did not, and that may yet", () => {
    expect(arm).toMatchObject({ target: 0.5, reached: 3, notReached: 1, unfinished: 1 });
    expect(arm.runs.map(({ seed, cost }) => [seed, cost?.epochs])).toEqual([
      [7, 3],
      [3, 1],
      [5, undefined],
      [6, 2],
      [8, undefined],
    ]);
  });

  test("has range over those, and a median that knows of the others", () => {
    expect(arm.spread.epochs).toEqual({ n: 3, smallest: 1, largest: 3, median: 2.5 }); // 1 2 3 ∞
    expect(arm.spread.samples).toEqual({ n: 3, smallest: 100, largest: 330, median: 270 });
    expect(arm.spread["seconds.total"]).toEqual({ n: 3, smallest: 4, largest: 12, median: 10 });
    expect(Object.keys(arm.spread).sort()).toEqual([...COST_KINDS].sort());
  });

  test("has no median where half of the runs never reach it", () => {
    const half = costOfArm([run([0.9]), run(never)], 0.5);
    expect(half.spread.epochs).toEqual({ n: 1, smallest: 1, largest: 1, median: null });
    expect(costOfArm([run(never)], 0.5).spread.epochs).toBeNull();
    expect(costOfArm([], 0.5)).toMatchObject({ reached: 0, notReached: 0, spread: { epochs: null } });
  });

  test("by seed, for the statistics", () => {
    expect(costBySeed(arm, "epochs")).toEqual({ 3: 1, 5: null, 6: 2, 7: 3, 8: null });
    expect(costBySeed(arm, "seconds.training")).toEqual({ 3: 2, 5: null, 6: 4, 7: 6, 8: null });
    const untimed = costOfArm([run([0.9], { timings: [] })], 0.5);
    expect(costBySeed(untimed, "seconds.total")).toEqual({ 0: null });
    expect(untimed.spread["seconds.total"]).toBeNull();
  });
});
