/** What an experiment's numbers say, with how sure: `py_backend/statistics.py` computes it, with scipy. */
import { z } from "zod";
import { runPython } from "../backend/python-program.js";
import { IbatchError } from "../errors.js";
import { packageRoot } from "../package-root.js";
import { fromRecorded, type RecordedNumber } from "../record/number.js";
import { counted } from "./number-text.js";

/** By seed; null where the run has no value. One that is not finite counts as none: `missing` names its seed. */
export type ValuesBySeed = Readonly<Record<number, RecordedNumber | null>>;

/** Values to describe, in a unit of their own. */
export interface Sample {
  readonly name: string;
  readonly values: ValuesBySeed;
}

/** An arm to compare with the baseline, seed by seed. */
export interface Pairing {
  readonly name: string;
  readonly arm: ValuesBySeed;
  readonly baseline: ValuesBySeed;
  /** Comparisons planned together: Holm's correction is over those of one name. null: exploratory, not corrected. */
  readonly family: string | null;
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
  /** Student's t, of the mean; null for n < 2 and where all values are equal. */
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
  p: share,
  /** 2/2ⁿ, n = nonzero: no p of this test is below it. */
  smallest: share,
  /** Over all signs; else (more than 50 differences) by the normal approximation. */
  exact: z.boolean(),
});

const difference = z.strictObject({
  ...description.shape,
  family: z.string().nullable(),
  /** Why there is no t test; null where there is one. */
  lack: z.enum(["no pairs", "one pair", "equal differences"]).nullable(),
  /** BCa bootstrap of the mean difference; null for n < 3 and for equal differences. Too narrow for few seeds. */
  bca: interval.nullable(),
  /** Cohen's d_z, mean / sd. */
  effect: z.number().nullable(),
  /** d_z with Hedges' correction; null for n < 3. */
  effectCorrected: z.number().nullable(),
  /** Paired, two-sided. */
  t: tTest.nullable(),
  /** Wilcoxon's, two-sided; null for n = 0. */
  wilcoxon: signedRank.nullable(),
  /** After Holm's correction over the family; null without a p or a family. So are the next two. */
  tHolm: share.nullable(),
  wilcoxonHolm: share.nullable(),
  /** The least that `wilcoxonHolm` can be. */
  wilcoxonSmallestHolm: share.nullable(),
});
/** Of the paired differences arm - baseline. `interval` is of this comparison alone: Holm corrects p, not intervals. */
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
/** Simulated: FIELD.md section 4. */
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
    samples: samples.map(({ name, values }) => ({ name, values: finite(values) })),
    comparisons: comparisons.map(({ name, arm, baseline, family }) => ({
      name,
      arm: finite(arm),
      baseline: finite(baseline),
      family,
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

// --- In words

const ALPHA = 0.05;

/** The least p that the exact signed-rank test can give after Holm's correction: all differences of one sign. */
export const smallestWilcoxonP = (seeds: number, comparisons: number): number =>
  Math.min(1, comparisons * 2 ** (1 - seeds));

/** Paired seeds with which the exact signed-rank test can show p < alpha in so many comparisons. */
export function seedsForWilcoxon(comparisons: number, alpha = ALPHA): number {
  let seeds = 1;
  while (smallestWilcoxonP(seeds, comparisons) >= alpha) seeds += 1;
  return seeds;
}

/** That so few seeds cannot show anything by the signed-rank test; undefined where they can. */
export function tooFewSeeds(seeds: number, comparisons: number, alpha = ALPHA): string | undefined {
  if (comparisons === 0 || smallestWilcoxonP(seeds, comparisons) < alpha) return undefined;
  const over = comparisons === 1 ? "" : ` over ${comparisons} comparisons`;
  const enough = seedsForWilcoxon(comparisons, alpha);
  return `${counted(seeds, "seed")} cannot show p < ${alpha} with the exact Wilcoxon test${over}; ${enough} can`;
}

/** Which test carries the claim, over what; and that the other comparisons claim nothing. */
export function whatCarriesTheClaim(planned: number, exploratory: number): string | undefined {
  if (planned + exploratory === 0) return undefined;
  if (planned === 0)
    return "No comparison was planned: all are exploratory, their p is not corrected and claims nothing";
  const claim =
    planned === 1
      ? "The claim rests on the paired t test of the one planned comparison"
      : `Claims rest on the paired t test with Holm's correction over the ${planned} planned comparisons`;
  if (exploratory === 0) return claim;
  const others = exploratory === 1 ? "the other one is" : `the other ${exploratory} are`;
  return `${claim}; ${others} exploratory: no correction, no claim`;
}
