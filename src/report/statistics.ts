/** What an experiment's numbers say, with how sure: `py_backend/statistics.py` computes it, with scipy. */
import { z } from "zod";
import { runPython } from "../backend/python-program.js";
import { IbatchError } from "../errors.js";
import { packageRoot } from "../package-root.js";
import { fromRecorded, type RecordedNumber } from "../record/number.js";

/** By seed; null where the run has no value. One that is not finite counts as none: `missing` names its seed. */
export type ValuesBySeed = Readonly<Record<number, RecordedNumber | null>>;

/** Values to describe, in a unit of their own. */
export interface Sample {
  readonly name: string;
  readonly values: ValuesBySeed;
  /** What its mean can be: 0 … 1, above 0, anything (default). */
  readonly scale?: "share" | "positive" | "any";
}

/** An arm to compare with the baseline, seed by seed. */
export interface Pairing {
  readonly name: string;
  readonly arm: ValuesBySeed;
  readonly baseline: ValuesBySeed;
  /** Comparisons planned together: Holm's correction is over those of one name. null: exploratory, not corrected. */
  readonly family: string | null;
  /** Seeds whose run diverged, which is worse than any value. */
  readonly armDiverged?: readonly number[];
  readonly baselineDiverged?: readonly number[];
  /** Which end is the worst; default: true. */
  readonly higherIsBetter?: boolean;
  /** No difference can be larger, or smaller than its negative. */
  readonly largest?: number;
  /** Mean differences within ±margin count as none: asks for the test of equivalence. */
  readonly margin?: number | null;
}

export interface StatisticsRequest {
  /** Default: 0.95. */
  readonly confidence?: number;
  readonly samples: readonly Sample[];
  readonly comparisons: readonly Pairing[];
}

const share = z.number().min(0).max(1);
const interval = z.strictObject({ low: z.number(), high: z.number() });
export type Interval = z.infer<typeof interval>;

const description = z.strictObject({
  name: z.string(),
  /** Values; pairs in a comparison. */
  n: z.int(),
  /** Seeds that lack a value. */
  missing: z.array(z.int()),
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

const difference = z.strictObject({
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
});
/**
 * Of the paired differences arm - baseline; where a run of a pair diverged, mean and sd are of survivors alone.
 * `interval` is of this comparison alone: Holm corrects p, not intervals.
 */
export type Difference = z.infer<typeof difference>;

export const statisticsSchema = z.strictObject({
  confidence: z.number(),
  samples: z.array(description),
  comparisons: z.array(difference),
});
/** In the order of the request. */
export type Statistics = z.infer<typeof statisticsSchema>;

const MODULE = "py_backend.statistics";
/** scipy from a cold disk takes seconds; the work itself some hundredths of a second a comparison. */
const LIMIT_SECONDS = 120;

/** From so many pairs on the BCa interval may be shown, with `BCA_WARNING`. */
export const LEAST_PAIRS_FOR_BCA = 10;
/** Simulated with normal differences. */
export const BCA_WARNING = "the bootstrap interval is too narrow for few seeds: at n = 10 it covers 89 %, not 95 %";

/**
 * Asks Python. Nothing to compute needs no Python.
 * @throws IbatchError when scipy is missing, or the program fails or takes more than two minutes; Interrupted.
 */
export async function computeStatistics(
  request: StatisticsRequest,
  { python, signal }: { readonly python: string; readonly signal: AbortSignal },
): Promise<Statistics> {
  const { confidence = 0.95, samples, comparisons } = request;
  if (samples.length + comparisons.length === 0) return { confidence, samples: [], comparisons: [] };
  const input = JSON.stringify({
    confidence,
    samples: samples.map(({ values, ...sample }) => ({ ...sample, values: finite(values) })),
    comparisons: comparisons.map(({ arm, baseline, ...pairing }) => ({
      ...pairing,
      arm: finite(arm),
      baseline: finite(baseline),
    })),
  });
  const output = await runPython({ python, packageRoot, module: MODULE, input, limitSeconds: LIMIT_SECONDS, signal });
  return readAnswer(output, request);
}

const finite = (values: ValuesBySeed): Record<string, number | null> =>
  Object.fromEntries(
    Object.entries(values).map(([seed, value]) => {
      const number = value === null ? Number.NaN : fromRecorded(value);
      return [seed, Number.isFinite(number) ? number : null];
    }),
  );

function readAnswer(output: string, { samples, comparisons }: StatisticsRequest): Statistics {
  let read: Statistics;
  try {
    read = statisticsSchema.parse(JSON.parse(output));
  } catch (error) {
    const seen = output.length > SHOWN ? `${output.slice(0, SHOWN)} …` : output;
    throw new IbatchError("bug", `${MODULE} answered what src/report/statistics.ts does not expect: ${seen}`, {
      cause: error,
    });
  }
  const asked = [...samples, ...comparisons].map(({ name }) => name);
  const answered = [...read.samples, ...read.comparisons].map(({ name }) => name);
  if (asked.join("\n") === answered.join("\n")) return read;
  throw new IbatchError("bug", `${MODULE} was asked for ${asked.join(", ")} and answered ${answered.join(", ")}`);
}

/** Characters of a wrong answer that an error repeats. */
const SHOWN = 300;
