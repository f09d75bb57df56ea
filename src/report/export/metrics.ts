/** The small files alone, as runs wrote them: what table, curves and statistics are made from, to stand beside a paper. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeExported } from "../../record/export-files.js";
import type { ExportRequest } from "./contract.js";
import { readExportedRuns } from "./exported-runs.js";
import { checkedPlace, ownPlace } from "./place.js";

const OF_A_RUN = ["run.json", "metrics.jsonl", "timings.jsonl"];

/** A directory that `export --to markdown` and `report` read as they read the experiment's own. */
export async function exportMetrics({ directory, out }: ExportRequest): Promise<string> {
  const place = out === undefined ? ownPlace(directory, "metrics") : checkedPlace(directory, out);
  const { runs } = readExportedRuns(directory); // refuses what is no experiment, or damaged
  const ofRuns = runs.flatMap(({ arm, seed }) => OF_A_RUN.map((file) => join(arm, `seed-${seed}`, file)));
  for (const file of ["experiment.json", ...ofRuns]) {
    const path = join(directory, file);
    if (existsSync(path)) writeExported(join(place, file), readFileSync(path, "utf8"));
  }
  return `${place}\n`;
}
