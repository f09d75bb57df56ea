/** The results of a run directory, finished or not, from what is on record alone. */
import type { Findings } from "./findings.js";
import { readExperiment } from "./recorded-experiment.js";
import { makeResults } from "./results.js";
import type { Summary } from "./summary.js";

export interface ReadResults {
  readonly summary: Summary;
  readonly findings: Findings;
  /** Markdown, as `ibatch run` prints it. */
  readonly table: string;
}

/**
 * Of every arm and seed on record. Python is needed only where `statistics.json` does not have the answer; without one
 * the findings say that they lack the statistics.
 * @throws IbatchError when the directory holds no experiment, or a file of it is damaged; Interrupted.
 */
export async function readResults(
  directory: string,
  options: { readonly python: string | undefined; readonly signal: AbortSignal },
): Promise<ReadResults> {
  const { asked, runs } = readExperiment(directory);
  const { summary, findings, table } = await makeResults(asked, runs, { directory, ...options });
  return { summary, findings, table };
}
