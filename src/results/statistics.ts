/** What an experiment's numbers say, with how sure: `py_report/statistics` computes it, with scipy. */

import { IbatchError } from "../errors.js";
import { packageRoot } from "../package-root.js";
import { runPython } from "../process/python-program.js";
import { fromRecorded } from "../record/number.js";
import {
  type Statistics,
  type StatisticsRequest,
  statisticsAnswer,
  type ValuesBySeed,
} from "../record/statistics-document.js";

const MODULE = "py_report.statistics";
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
    read = statisticsAnswer.parse(JSON.parse(output));
  } catch (error) {
    const seen = output.length > SHOWN ? `${output.slice(0, SHOWN)} …` : output;
    throw new IbatchError("bug", `${MODULE} answered what src/record/statistics-document.ts does not expect: ${seen}`, {
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
