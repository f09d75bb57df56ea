/** What the statistics were asked and what they answered: the schemas of `statistics.json`, and of Python's answer. */
import { z } from "zod";
import { type RecordedNumber, recordedNumber } from "./number.js";

/** By seed; null where the run has no value. One that is not finite counts as none: `missing` names its seed. */
export type ValuesBySeed = Readonly<Record<number, RecordedNumber | null>>;
const valuesBySeed: z.ZodType<ValuesBySeed> = z.record(z.string(), recordedNumber.nullable());

const sample = z.strictObject({
  name: z.string(),
  values: valuesBySeed,
  /** What its mean can be: 0 … 1, above 0, anything (default). */
  scale: z.enum(["share", "positive", "any"]).optional(),
});
/** Values to describe, in a unit of their own. */
export type Sample = Readonly<z.infer<typeof sample>>;

const seeds = z.array(z.int()).readonly();

const pairing = z.strictObject({
  name: z.string(),
  arm: valuesBySeed,
  baseline: valuesBySeed,
  /** Comparisons planned together: Holm's correction is over those of one name. null: exploratory, not corrected. */
  family: z.string().nullable(),
  /** Seeds whose run diverged, which is worse than any value. */
  armDiverged: seeds.optional(),
  baselineDiverged: seeds.optional(),
  /** Which end is the worst; default: true. */
  higherIsBetter: z.boolean().optional(),
  /** No difference can be larger, or smaller than its negative. */
  largest: z.number().optional(),
  /** Mean differences within ±margin count as none: asks for the test of equivalence. */
  margin: z.number().nullish(),
});
/** An arm to compare with the baseline, seed by seed. */
export type Pairing = Readonly<z.infer<typeof pairing>>;

export const statisticsRequest = z.strictObject({
  /** Default: 0.95. */
  confidence: z.number().optional(),
  samples: z.array(sample).readonly(),
  comparisons: z.array(pairing).readonly(),
});
export type StatisticsRequest = Readonly<z.infer<typeof statisticsRequest>>;

const share = z.number().min(0).max(1);
const interval = z.strictObject({ low: z.number(), high: z.number() });
export type Interval = z.infer<typeof interval>;

export const description = z.strictObject({
  name: z.string(),
  /** Values; pairs in a comparison. */
  n: z.int(),
  /** Seeds that lack a value. */
  missing: z.array(z.int()).readonly(),
  /** null for n = 0. */
  mean: z.number().nullable(),
  /** Over n - 1; null for n < 2. */
  sd: z.number().nullable(),
  /** Of the mean, within what is possible; null for n < 3 and where all values are equal. */
  interval: interval.nullable(),
});
/** Of a sample, in its own unit. */
export type Description = z.infer<typeof description>;

const tTest = z.strictObject({ statistic: z.number(), degreesOfFreedom: z.int(), p: share });

const signedRank = z.strictObject({
  /** Differences that are not zero. */
  nonzero: z.int(),
  /** The smaller sum of ranks. */
  statistic: z.number(),
  /** Sign of the larger sum's differences; 0 where both are equal. */
  direction: z.union([z.literal(-1), z.literal(0), z.literal(1)]),
  p: share,
  /** 2/2ⁿ, n = nonzero: no p of this test is below it. */
  smallest: share,
  /** Over all signs; else (more than 50 differences) by the normal approximation. */
  exact: z.boolean(),
});

/** p, and after Holm's correction over the family; null without one. */
const corrected = { p: share, holm: share.nullable() };

const claim = z.strictObject({ test: z.enum(["t", "signed rank"]), ...corrected });

const divergence = z.strictObject({
  /** Runs that diverged, of those that ended with a value or diverged. */
  arm: z.int(),
  armRuns: z.int(),
  baseline: z.int(),
  baselineRuns: z.int(),
  /** Fisher's exact test, two-sided. */
  ...corrected,
});

const equivalence = z.strictObject({
  margin: z.number(),
  /** Of 90 %: within ±margin exactly where p < 0.05. */
  interval,
  /** The larger one of two one-sided t tests. */
  ...corrected,
});

export const difference = z.strictObject({
  ...description.shape,
  /** Pairs of outcomes: of values, and those in which a run diverged. `missing` seeds have none. */
  ranked: z.int(),
  family: z.string().nullable(),
  /** Why there is no t test; null where there is one. */
  lack: z.enum(["no pairs", "one pair", "two pairs", "equal differences", "diverged runs"]).nullable(),
  /** Whether an end of `interval` is the largest difference that there can be. */
  isCut: z.boolean(),
  /** BCa bootstrap of the mean difference; null without a t test. Too narrow for few seeds. */
  bca: interval.nullable(),
  /** Cohen's d_z, mean / sd; null without a t test and where one arm's values are all equal. */
  effect: z.number().nullable(),
  /** d_z with Hedges' correction. */
  effectCorrected: z.number().nullable(),
  /** Paired, two-sided. */
  t: tTest.nullable(),
  /** Wilcoxon's, two-sided, diverged runs at the end of the ranks; null without pairs of outcomes. */
  wilcoxon: signedRank.nullable(),
  /** After Holm's correction, as if it were to claim; null without a p or a family. So is the next one. */
  wilcoxonHolm: share.nullable(),
  /** The least that `wilcoxonHolm` can be. */
  wilcoxonSmallestHolm: share.nullable(),
  /** The one test to claim by: t, or the signed ranks where a run of a pair diverged. */
  claim: claim.nullable(),
  /** null where no run diverged. */
  divergence: divergence.nullable(),
  /** null where none was asked for, and without a t test. */
  equivalence: equivalence.nullable(),
  /**
   * Where no margin was named for a comparison of a family: the least one with which equivalence would have been claimed;
   * null without a t test. Absent in records of before there was such.
   */
  smallestMargin: z.number().nullish(),
});
/**
 * Of the paired differences arm - baseline; where a run of a pair diverged, mean and sd are of survivors alone.
 * `interval` is of this comparison alone: Holm corrects p, not intervals.
 */
export type Difference = z.infer<typeof difference>;

export const statisticsAnswer = z.strictObject({
  confidence: z.number(),
  samples: z.array(description).readonly(),
  comparisons: z.array(difference).readonly(),
});
/** In the order of the request. */
export type Statistics = z.infer<typeof statisticsAnswer>;
