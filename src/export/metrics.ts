/** The small files alone, as runs wrote them: what table, curves and statistics are made from, to stand beside a paper. */
import { copyExperimentDocuments, copySmallFiles } from "../record/small-files.js";
import type { Exported, ExportRequest } from "./contract.js";
import { readExportedRuns } from "./exported-runs.js";
import { checkedPlace, ownPlace } from "./place.js";

/** A directory that `export --to markdown` and `report` read as they read the experiment's own. */
export async function exportMetrics({ directory, out }: ExportRequest): Promise<Exported> {
  const place = out === undefined ? ownPlace(directory, "metrics") : checkedPlace(directory, out);
  const { runs, leftOut } = readExportedRuns(directory); // refuses what is no experiment
  copyExperimentDocuments(directory, place);
  for (const { arm, seed, files } of runs) copySmallFiles(files, place, { arm, seed });
  return { written: `${place}\n`, leftOut };
}
