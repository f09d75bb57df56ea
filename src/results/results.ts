/** From what runs recorded to what is told of them: summary, findings and table, the same whoever asks. */

import { IbatchError, Interrupted } from "../errors.js";
import { findPython } from "../process/find-python.js";
import type { Findings } from "../record/findings-document.js";
import type { Statistics, StatisticsRequest } from "../record/statistics-document.js";
import { readAnswer } from "../record/statistics-file.js";
import type { Summary } from "../record/summary-document.js";
import { readTuning, type TuningDocument } from "../record/tuning-record.js";
import { makeFindings } from "./make-findings.js";
import { measure, requestOf } from "./measures.js";
import type { PlannedExperiment } from "./planned-experiment.js";
import type { TimedRun } from "./recorded-experiment.js";
import { computeStatistics } from "./statistics.js";
import { summarise } from "./summary.js";
import { renderTable } from "./table.js";

export interface Results {
  readonly summary: Summary;
  readonly findings: Findings;
  /** Markdown. */
  readonly table: string;
  /** What `statistics.json` keeps; no answer where there was no Python to give it. */
  readonly statistics: StatisticsOnRecord;
}

export interface StatisticsOnRecord {
  readonly request: StatisticsRequest;
  readonly answer: Statistics | undefined;
}

interface MadeWith {
  /** The experiment's; an answer that is recorded there to the same request is taken. */
  readonly directory: string;
  /** As `findPython` takes it. */
  readonly python: string | undefined;
  readonly signal: AbortSignal;
}

/** @throws Interrupted */
export async function makeResults(
  planned: PlannedExperiment,
  runs: readonly TimedRun[],
  { directory, python, signal }: MadeWith,
): Promise<Results> {
  const measures = measure(planned, runs);
  const request = requestOf(measures);
  const answer = readAnswer(directory, request) ?? (await askPython(request, python, signal));
  const findings = makeFindings(measures, answer, runs, tuningOf(planned, directory));
  const summary = summarise(planned, runs, directory);
  const statistics = { request, answer: typeof answer === "string" ? undefined : answer };
  return { summary, findings, table: renderTable(summary, findings), statistics };
}

/** Of the arms that are told of. */
function tuningOf({ arms }: PlannedExperiment, directory: string): TuningDocument | undefined {
  const tuning = readTuning(directory);
  return tuning && { ...tuning, arms: tuning.arms.filter(({ arm }) => arms[arm] !== undefined) };
}

/** The answer, or why there is none: results are not lost for want of scipy. */
async function askPython(
  request: StatisticsRequest,
  python: string | undefined,
  signal: AbortSignal,
): Promise<Statistics | string> {
  try {
    return await computeStatistics(request, { python: findPython(python), signal });
  } catch (error) {
    if (!(error instanceof IbatchError) || error instanceof Interrupted) throw error;
    return error.message;
  }
}
