/** What whole runs cost against the baseline's. */
import type { Findings } from "../record/findings-document.js";
import { savedBy, savingColumns, savingNote, savingTitle } from "../results/saving-table.js";
import { armName } from "./cost.js";
import { dataTable } from "./data-table.js";
import type { Html } from "./html.js";
import type { Look } from "./looks.js";

export function savingTable(findings: Findings, looks: ReadonlyMap<string, Look>): Html | undefined {
  const saved = savedBy(findings);
  if (saved.length === 0) return undefined;
  const columns = savingColumns(saved);
  return dataTable({
    id: "saving",
    note: `${savingTitle(findings.baseline)}. ${savingNote(columns)}.`,
    columns: ["arm", ...columns.map(({ title }) => title)],
    rows: saved.map((one) => ({
      name: armName(one.arm, looks),
      cells: columns.map(({ cell }) => cell(one)),
    })),
  });
}
