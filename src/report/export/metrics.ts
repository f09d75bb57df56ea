/** The small files alone, as runs wrote them: what table, curves and statistics are made from, to stand beside a paper. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKSUMS, formatChecksums } from "../../record/checksums.js";
import { writeExported } from "../../record/export-files.js";
import { METRICS, RUN_DOCUMENT, TIMINGS } from "../../record/run-files.js";
import type { RunFiles } from "../../record/verified-files.js";
import type { Exported, ExportRequest } from "./contract.js";
import { readExportedRuns } from "./exported-runs.js";
import { checkedPlace, ownPlace } from "./place.js";

const OF_A_RUN: readonly string[] = [RUN_DOCUMENT, METRICS, TIMINGS];

/** A directory that `export --to markdown` and `report` read as they read the experiment's own. */
export async function exportMetrics({ directory, out }: ExportRequest): Promise<Exported> {
  const place = out === undefined ? ownPlace(directory, "metrics") : checkedPlace(directory, out);
  const { runs, leftOut } = readExportedRuns(directory); // refuses what is no experiment
  writeExported(join(place, "experiment.json"), readFileSync(join(directory, "experiment.json")));
  for (const { arm, seed, files } of runs) copySmallFiles(files, join(place, arm, `seed-${seed}`));
  return { written: `${place}\n`, leftOut };
}

/** With the lines of `SHA256SUMS` that are about them. */
function copySmallFiles(files: RunFiles, to: string): void {
  for (const name of OF_A_RUN) if (files.has(name)) writeExported(join(to, name), files.bytes(name));
  const listed = files.listed;
  if (listed === undefined) return;
  writeExported(join(to, CHECKSUMS), formatChecksums(new Map([...listed].filter(([name]) => OF_A_RUN.includes(name)))));
}
