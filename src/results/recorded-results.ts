/** The results of a run directory, finished or not, from what is on record alone. */
import { join } from "node:path";
import { usageError } from "../errors.js";
import type { DamagedRun } from "../record/find-runs.js";
import type { Findings } from "../record/findings-document.js";
import type { Summary } from "../record/summary-document.js";
import { leftOutOfTable } from "./left-out.js";
import { type RecordedExperiment, readExperiment } from "./recorded-experiment.js";
import { makeResults } from "./results.js";

export interface ReadResults {
  readonly summary: Summary;
  readonly findings: Findings;
  /** Markdown, as `ibatch run` prints it. */
  readonly table: string;
  readonly damaged: readonly DamagedRun[];
}

interface ReadWith {
  readonly python: string | undefined;
  readonly signal: AbortSignal;
  /** As it was read from the directory already. */
  readonly experiment?: RecordedExperiment;
}

/**
 * Of every arm and seed on record. Python is needed only where `statistics.json` does not have the answer; without one
 * the findings say that they lack the statistics. Damaged runs are left out, and the table says so.
 * @throws IbatchError when the directory holds no experiment, or `experiment.json` is damaged; Interrupted.
 */
export async function readResults(
  directory: string,
  { experiment = readExperiment(directory), ...options }: ReadWith,
): Promise<ReadResults> {
  refuseTrials(directory, experiment);
  const { planned, runs, damaged } = experiment;
  const { summary, findings, table } = await makeResults(planned, runs, { directory, ...options });
  return { summary, findings, table: table + leftOutOfTable(damaged), damaged };
}

/** @throws IbatchError where the runs are those that learning rates are tuned by: none saw the test set, which a report is of. */
export function refuseTrials(directory: string, { document }: Pick<RecordedExperiment, "document">): void {
  if (Object.values(document.config.arms).every(({ dataset }) => dataset?.heldOut === undefined)) return;
  const outer = join(directory, "..");
  throw usageError(
    `${directory} holds the runs that learning rates are tuned by, and none of them is measured on the test set: ` +
      `ibatch report ${outer} has what they chose`,
  );
}
