// How often something is claimed where nothing is there, and where something is: experiments made up, findings real.
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { random } from "../../src/kernels/random.js";
import type { Findings, MeasureKind } from "../../src/record/findings-document.js";
import { MEASURE_KINDS } from "../../src/record/measure-kinds.js";
import type { Difference } from "../../src/record/statistics-document.js";
import type { PlannedExperiment } from "../../src/results/planned-experiment.js";
import type { TimedRun } from "../../src/results/recorded-experiment.js";
import { MEASURES } from "../../src/results/shown-measure.js";
import { summarise } from "../../src/results/summary.js";
import { renderTable } from "../../src/results/table.js";
import { divergenceVerdict, verdictOn } from "../../src/results/verdict.js";
import { isFullSize } from "../full-size.js";
import { isPythonMissing } from "../warm-python/missing.js";
import { findingsOfAll } from "./findings-of-all.js";
import { asking, run } from "./made-runs.js";

beforeEach(({ skip }) => skip(isPythonMissing, "no Python for the statistics"));

const EXPERIMENTS = isFullSize ? 200 : 80;
const LEVEL = 0.05;
/** Of experiments in which something is claimed that is not there: the level and two standard errors. */
const highestShare = (experiments: number) => LEVEL + 2 * Math.sqrt((LEVEL * (1 - LEVEL)) / experiments);
/** Of equivalence. */
const MARGIN = 0.01;
const EXPERIMENTS_AT_THE_MARGIN = isFullSize ? 100 : 40;
const ARMS = ["shuffled", "a", "b", "c", "d"];
const TEST_COUNT = 2000;
/** Rates of right answers that experiments are around: from chance to nearly all. */
const AROUND = [0.5, 0.9, 0.97, 0.9985];

interface World {
  readonly at: number;
  /** Added to the logit of one arm's accuracy, and taken from the log of its loss. */
  readonly gainOfA: number;
  /** With which a run of any arm diverges. */
  readonly diverging: number;
}

const normalFrom = (numbers: ReturnType<typeof random>) => (): number =>
  Math.sqrt(-2 * Math.log(1 - numbers.uniform())) * Math.cos(2 * Math.PI * numbers.uniform());

/** Arms of one distribution; runs of a seed are alike in part, accuracy and loss of a run, too; 6 to 9 seeds. */
function experiment({ at, gainOfA, diverging }: World): TimedRun[] {
  const numbers = random(7, "placebo", at);
  const normal = normalFrom(numbers);
  const around = AROUND[at % AROUND.length];
  const seeds = 6 + (at % 4);
  return Array.from({ length: seeds }, (_, seed) => seed).flatMap((seed) => {
    const ofSeed = normal();
    return ARMS.map((arm) => {
      const ofRun = normal();
      const gain = arm === "a" ? gainOfA : 0;
      const logit = Math.log(around / (1 - around)) + 0.03 * ofSeed + 0.05 * ofRun + gain;
      const accuracy = Math.round(TEST_COUNT / (1 + Math.exp(-logit))) / TEST_COUNT;
      const loss = (1 - around) * Math.exp(-0.5 * (0.03 * ofSeed + 0.05 * ofRun) + 0.03 * normal() - gain);
      const state = numbers.uniform() < diverging ? "diverged" : "done";
      return run(arm, seed, { test: [accuracy], loss, state });
    });
  });
}

/** Arms that differ from the baseline by so much in the mean, in accuracy and in loss; likewise else. */
function experimentApart(at: number, apart: readonly number[]): TimedRun[] {
  const normal = normalFrom(random(8, "placebo", at));
  return Array.from({ length: 6 + (at % 4) }, (_, seed) => seed).flatMap((seed) => {
    const ofSeed = normal();
    return ARMS.map((arm, number) => {
      const shift = (apart[number - 1] ?? 0) + 0.003 * ofSeed + 0.01 * normal();
      return run(arm, seed, { test: [Math.round(TEST_COUNT * (0.8 + shift)) / TEST_COUNT], loss: 0.5 + shift });
    });
  });
}

/** Of all with the same claims planned. */
const findingsWith = (
  all: readonly (readonly TimedRun[])[],
  claimed: Pick<Partial<PlannedExperiment>, "equivalenceMargin"> & { readonly primary: MeasureKind },
): Promise<Findings[]> => findingsOfAll(all.map((runs) => ({ runs, planned: asking(runs, claimed) })));

const claims = ({ comparisons, primary }: Findings): string[] =>
  comparisons.flatMap((one) => {
    const found = one[primary];
    const verdicts = [verdictOn(found, MEASURES[primary]).difference, divergenceVerdict(found)];
    return verdicts.flatMap((verdict) => (verdict === null ? [] : [`${one.arm}: ${verdict}`]));
  });

/** Without another claim: within the margin, and not shown to differ. */
const equivalents = ({ comparisons, primary }: Findings): string[] =>
  comparisons.flatMap((one) => {
    const { isEquivalent, difference } = verdictOn(one[primary], MEASURES[primary]);
    return isEquivalent && difference === null ? [`${one.arm}: equivalent`] : [];
  });

/** As `claims`, and what is equivalent: of what a reader is told. */
const toldInSentences = ({ comparisons }: Findings): string[] =>
  comparisons.flatMap(({ arm, sentence }) =>
    [...sentence.matchAll(/: (better|worse|more often|less often|equivalent)\b/g)].map(([, word]) => `${arm}: ${word}`),
  );

function toldInTable(findings: Findings, runs: readonly TimedRun[]): string[] {
  const table = renderTable(summarise(asking(runs), runs, ""), findings);
  const verdicts = /^\| (\w+) − shuffled .*\| +(better|worse|more often|less often|equivalent)\b[^|]*\|$/gm;
  return [...table.matchAll(verdicts)].map(([, arm, word]) => `${arm}: ${word}`);
}

/** Holm's by the closure that it is: a test is rejected where Bonferroni's rejects each set of tests that it is in. */
function holmByClosure(ps: readonly number[]): number[] {
  const highest = ps.map(() => 0);
  for (let set = 1; set < 2 ** ps.length; set++) {
    const members = ps.map((_, at) => at).filter((at) => (set >> at) % 2 === 1);
    const p = Math.min(1, members.length * Math.min(...members.map((at) => ps[at])));
    for (const at of members) highest[at] = Math.max(highest[at], p);
  }
  return highest;
}

describe.each(MEASURE_KINDS)("primary: %s", (primary) => {
  let nothing: readonly Findings[];
  let worlds: readonly (readonly TimedRun[])[];
  beforeAll(async () => {
    if (isPythonMissing) return;
    worlds = Array.from({ length: EXPERIMENTS }, (_, at) => experiment({ at, gainOfA: 0, diverging: 0.01 }));
    nothing = await findingsWith(worlds, { primary });
  }, 120_000);

  test(`of ${EXPERIMENTS} experiments in which arms do not differ at most 5 % claim anything`, () => {
    const wrong = nothing.filter((one) => claims(one).length > 0).length;
    expect(wrong / EXPERIMENTS).toBeLessThanOrEqual(highestShare(EXPERIMENTS));
    expect(wrong).toBeGreaterThan(0); // what never claims is no test
  });

  test("sentences and table claim that, and no more", () => {
    for (const [at, one] of nothing.entries()) {
      const claimed = claims(one).sort();
      expect(toldInSentences(one).sort()).toEqual(claimed);
      expect(toldInTable(one, worlds[at]).sort()).toEqual(claimed);
    }
  });

  test(`of ${EXPERIMENTS_AT_THE_MARGIN} in which all arms differ by the margin at most 5 % call any of them equivalent`, async () => {
    const apart = Array.from({ length: EXPERIMENTS_AT_THE_MARGIN }, (_, at) =>
      experimentApart(at, [MARGIN, -MARGIN, MARGIN, -MARGIN]),
    );
    const found = await findingsWith(apart, { primary, equivalenceMargin: MARGIN });
    const wrong = found.filter((one) => equivalents(one).length > 0).length;
    expect(wrong / EXPERIMENTS_AT_THE_MARGIN).toBeLessThanOrEqual(highestShare(EXPERIMENTS_AT_THE_MARGIN));
    expect(wrong).toBeGreaterThan(0);
    for (const [at, one] of found.entries()) {
      const told = [...claims(one), ...equivalents(one)].sort();
      expect(toldInSentences(one).sort()).toEqual(told);
      expect(toldInTable(one, apart[at]).sort()).toEqual(told);
    }
  }, 120_000);

  test("arms that do not differ are called equivalent where the margin is wide", async () => {
    const alike = Array.from({ length: 40 }, (_, at) => experimentApart(1000 + at, []));
    const found = await findingsWith(alike, { primary, equivalenceMargin: 3 * MARGIN });
    expect(found.filter((one) => equivalents(one).length === 4).length / 40).toBeGreaterThan(0.7);
  }, 120_000);

  test("p is Holm's over the tests of this measure and those of divergence, and of nothing else", () => {
    const kinds = new Set<string>();
    for (const { comparisons } of nothing) {
      const tests = comparisons.flatMap((one) => testsOf(one[primary]));
      const expected = holmByClosure(tests.map(({ p }) => p));
      for (const [at, { kind, holm }] of tests.entries()) {
        kinds.add(kind);
        if (holm !== null) expect(holm).toBeCloseTo(expected[at], 12);
      }
      const other = primary === "accuracy" ? "loss" : "accuracy";
      expect(comparisons.every((one) => testsOf(one[other]).every(({ holm }) => holm === null))).toBe(true);
    }
    expect([...kinds]).toEqual(expect.arrayContaining(["divergence", "signed rank", "t"]));
  });

  test("a mean accuracy and its interval lie within 0 … 100 %, a loss's above 0, a difference within ±100 points", () => {
    const intervals = nothing.flatMap(({ arms }) => arms.map(({ accuracy }) => accuracy.interval));
    const there = intervals.filter((interval) => interval !== null);
    expect(there.length).toBeGreaterThan(EXPERIMENTS);
    expect(there.filter(({ low, high }) => low < 0 || high > 1 || low > high)).toEqual([]);
    const losses = nothing.flatMap(({ arms }) => arms.flatMap(({ loss }) => loss.interval ?? []));
    expect(losses.filter(({ low }) => low <= 0)).toEqual([]);
    const differences = nothing.flatMap(({ comparisons }) =>
      comparisons.flatMap(({ accuracy }) => accuracy.interval ?? []),
    );
    expect(differences.filter(({ low, high }) => low < -1 || high > 1)).toEqual([]);
  });

  test("a difference that is there is found, with its sign, and no other one", async () => {
    const SOME = 40;
    const better = (gainOfA: number) =>
      Array.from({ length: SOME }, (_, at) => experiment({ at: 1000 + at, gainOfA, diverging: 0 }));
    const found = await findingsWith(better(0.25), { primary });
    const hits = found.filter((one) => claims(one).includes("a: better")).length;
    expect(hits / SOME).toBeGreaterThan(0.7);
    expect(found.flatMap(claims)).not.toContain("a: worse");
    const worse = await findingsWith(better(-0.25), { primary });
    expect(worse.filter((one) => claims(one).includes("a: worse")).length / SOME).toBeGreaterThan(0.7);
  }, 120_000);
});

interface Tested {
  readonly kind: string;
  readonly p: number;
  readonly holm: number | null;
}

/** One that has no p counts as p = 1: it was planned. */
const testsOf = ({ claim, divergence }: Difference): Tested[] => [
  { kind: claim?.test ?? "none", p: claim?.p ?? 1, holm: claim?.holm ?? null },
  ...(divergence === null ? [] : [{ kind: "divergence", p: divergence.p, holm: divergence.holm }]),
];
