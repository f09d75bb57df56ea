/**
 * Tidy tables: `runs.csv` has a line a run, `epochs.csv` a line a run and epoch, `within.csv`, where there are any, a line for
 * each evaluation before an epoch's end; arm, seed and epoch join them.
 */
import { join } from "node:path";
import { writeExported } from "../record/export-files.js";
import type { Exported, ExportRequest } from "./contract.js";
import { type Column, EPOCH_COLUMNS, RUN_COLUMNS, WITHIN_COLUMNS } from "./csv-columns.js";
import { readExportedRuns } from "./exported-runs.js";
import { checkedPlace, ownPlace } from "./place.js";

export async function exportCsv({ directory, out }: ExportRequest): Promise<Exported> {
  const place = out === undefined ? ownPlace(directory, "csv") : checkedPlace(directory, out);
  const { name, runs, leftOut } = readExportedRuns(directory);
  const rows = runs.map((run) => ({ ...run, experiment: name }));
  const epochs = runs.flatMap((run) => run.epochs.map((epoch) => ({ ...epoch, arm: run.arm, seed: run.seed })));
  const within = epochs.flatMap(({ arm, seed, metrics }) =>
    (metrics.within ?? []).map((point) => ({ ...point, arm, seed, epoch: metrics.epoch })),
  );
  const written = [
    writeExported(join(place, "runs.csv"), csv(RUN_COLUMNS, rows)),
    writeExported(join(place, "epochs.csv"), csv(EPOCH_COLUMNS, epochs)),
    ...(within.length === 0 ? [] : [writeExported(join(place, "within.csv"), csv(WITHIN_COLUMNS, within))]),
  ];
  return { written: `${written.join("\n")}\n`, leftOut };
}

/** As RFC 4180 has it, but for the ends of lines, which are as everywhere else here. */
function csv<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const lines = [columns.map(({ name }) => name), ...rows.map((row) => columns.map((column) => column.of(row)))];
  return lines.map((line) => `${line.map((cell) => quoted(String(cell ?? ""))).join(",")}\n`).join("");
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
