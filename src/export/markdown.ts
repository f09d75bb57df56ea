/** The final table of a directory, computed from what its runs recorded, and from nothing else. */
import { writeExported } from "../record/export-files.js";
import { readExperiment } from "../results/recorded-experiment.js";
import { readResults } from "../results/recorded-results.js";
import type { Exported, ExportRequest } from "./contract.js";
import { checkedPlace } from "./place.js";

export async function exportMarkdown({ directory, out, python, signal }: ExportRequest): Promise<Exported> {
  const path = out === undefined ? undefined : checkedPlace(directory, out);
  const experiment = readExperiment(directory, { withArrays: true });
  const { table, damaged } = await readResults(directory, { python, signal, experiment });
  const written = path === undefined ? table : `${writeExported(path, table)}\n`;
  return { written, leftOut: damaged.map(({ damage }) => damage) };
}
