import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { StatisticsRequest } from "../../src/record/statistics-document.js";
import { computeStatistics } from "../../src/results/statistics.js";
import { fakePython } from "../process/fake-python.js";
import { warmPython } from "../warm-python/python.js";

const signal = new AbortController().signal;

// Student 1908, as in R's `sleep`: t.test(extra ~ group, data = sleep, paired = TRUE).
const FIRST = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
const SECOND = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
const sleep = { name: "sleep", arm: { ...FIRST }, baseline: { ...SECOND } };

describe("with Python and scipy", () => {
  const compute = (request: StatisticsRequest) => computeStatistics(request, { python: warmPython, signal });

  test("Student's sleep data, in two families and as a sample", async () => {
    const { samples, comparisons, confidence } = await compute({
      samples: [{ name: "first", values: { ...FIRST } }],
      comparisons: [
        { ...sleep, family: "planned" },
        { ...sleep, name: "again", family: "planned" },
        { ...sleep, name: "other", family: null },
      ],
    });
    expect(confidence).toBe(0.95);
    expect(samples).toEqual([
      {
        name: "first",
        n: 10,
        missing: [],
        mean: expect.closeTo(0.75, 12),
        sd: expect.closeTo(1.78901, 5),
        interval: { low: expect.closeTo(-0.5297804, 7), high: expect.closeTo(2.0297804, 7) }, // R: t.test(first)
      },
    ]);
    const [planned, again, other] = comparisons;
    expect(planned).toMatchObject({ name: "sleep", n: 10, lack: null, family: "planned" });
    expect(planned.t?.statistic).toBeCloseTo(-4.0621, 4);
    expect(planned.t?.degreesOfFreedom).toBe(9);
    expect(planned.t?.p).toBeCloseTo(0.002833, 6);
    expect(planned.interval?.low).toBeCloseTo(-2.4598858, 7);
    expect(planned.interval?.high).toBeCloseTo(-0.7001142, 7);
    expect(planned.wilcoxon).toMatchObject({ nonzero: 9, statistic: 0, p: 2 / 512, smallest: 2 / 512, exact: true });
    expect(planned.claim).toEqual({ test: "t", p: planned.t?.p, holm: 2 * (planned.t?.p ?? Number.NaN) });
    expect(planned.wilcoxonSmallestHolm).toBe(4 / 512);
    expect(again).toEqual({ ...planned, name: "again" });
    expect(other).toEqual({
      ...planned,
      name: "other",
      family: null,
      claim: { test: "t", p: planned.t?.p, holm: null },
      wilcoxonHolm: null,
      wilcoxonSmallestHolm: null,
      smallestMargin: null,
    });
  });

  test("values that are not there or not finite are missing, and what has no answer is null", async () => {
    const baseline = { 0: 1, 1: 1, 2: 1, 3: 1 };
    const { samples, comparisons } = await compute({
      confidence: 0.9,
      samples: [
        { name: "loss", values: { 4: "NaN", 1: 2, 2: "Infinity", 3: null } },
        { name: "none", values: {} },
      ],
      comparisons: [
        { name: "one", arm: { 0: 2, 1: "-Infinity", 5: 1 }, baseline, family: "planned" },
        { name: "equal", arm: { 0: 3, 1: 3, 2: 3, 3: 3 }, baseline, family: "planned" },
        { name: "never run", arm: {}, baseline, family: "planned" },
      ],
    });
    expect(samples).toEqual([
      { name: "loss", n: 1, missing: [2, 3, 4], mean: 2, sd: null, interval: null },
      { name: "none", n: 0, missing: [], mean: null, sd: null, interval: null },
    ]);
    expect(comparisons).toMatchObject([
      { n: 1, missing: [1, 2, 3, 5], mean: 1, sd: null, lack: "one pair", t: null, claim: null, bca: null },
      { n: 4, missing: [], mean: 2, sd: 0, lack: "equal differences", t: null, wilcoxon: { p: 2 / 16 } },
      { n: 0, missing: [0, 1, 2, 3], mean: null, lack: "no pairs", t: null, wilcoxon: null },
    ]);
  });

  test("what is asked beside values arrives: scales, diverged seeds, margin, the largest difference", async () => {
    const values = { 0: 0.99, 1: 0.98, 2: 1 };
    const { samples, comparisons } = await compute({
      samples: [{ name: "share", values, scale: "share" }],
      comparisons: [
        { name: "level", arm: values, baseline: { 0: 0.991, 1: 0.979, 2: 0.999 }, family: "planned", margin: 0.02 },
        { name: "torn", arm: { 0: null, 1: 0.9 }, baseline: values, family: "planned", armDiverged: [0], largest: 1 },
      ],
    });
    expect(samples[0].interval?.high).toBeLessThan(1);
    const [level, torn] = comparisons;
    expect(level.equivalence?.holm).toBeLessThan(0.05);
    expect(torn).toMatchObject({ lack: "diverged runs", ranked: 2, missing: [2], claim: { test: "signed rank" } });
    expect(torn.divergence).toMatchObject({ arm: 1, armRuns: 2, baseline: 0, baselineRuns: 3 });
  });

  test("twice gives the same, the bootstrap too", async () => {
    const request = { samples: [], comparisons: [{ ...sleep, family: null }] };
    const first = await compute(request);
    expect(first.comparisons[0].bca).not.toBeNull();
    expect(await compute(request)).toEqual(first);
  });
});

describe("without", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "ibatch-test-"));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const request = { samples: [{ name: "a", values: {} }], comparisons: [] };
  const computeWith = (...lines: string[]) =>
    computeStatistics(request, { python: fakePython(directory, ...lines), signal });

  test("nothing to compute starts nothing", async () => {
    const nowhere = join(directory, "nowhere");
    expect(await computeStatistics({ samples: [], comparisons: [] }, { python: nowhere, signal })).toEqual({
      confidence: 0.95,
      samples: [],
      comparisons: [],
    });
  });

  test("no scipy is told by its own line", async () => {
    await expect(computeWith("echo 'py_report.statistics: no scipy' >&2; exit 4")).rejects.toMatchObject({
      kind: "surroundings",
      message: "py_report.statistics: no scipy",
    });
  });

  test.each(["", "hello", "{}", '{"confidence":0.95,"samples":[{"name":"a","n":"1"}],"comparisons":[]}'])(
    "an answer of '%s' is our bug",
    async (answer) => {
      await expect(computeWith("cat > /dev/null", `echo '${answer}'`)).rejects.toMatchObject({
        kind: "bug",
        message: `py_report.statistics answered what src/record/statistics-document.ts does not expect: ${answer}\n`,
      });
    },
  );

  test("an answer to something else is our bug", async () => {
    await expect(computeWith(`echo '{"confidence":0.95,"samples":[],"comparisons":[]}'`)).rejects.toMatchObject({
      kind: "bug",
      message: "py_report.statistics was asked for a and answered ",
    });
  });
});
