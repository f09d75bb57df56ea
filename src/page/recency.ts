/** What an arm's end owes to its last batches. */
import type { Findings } from "../record/findings-document.js";
import { RECENCY_TITLE, recencyColumns, recentArms } from "../results/recency.js";
import { dataTable } from "./data-table.js";
import type { Html } from "./html.js";

/** Undefined where there is nothing to tell. */
export function recencyTable(findings: Findings): Html | undefined {
  const arms = recentArms(findings);
  if (arms.length === 0) return undefined;
  const columns = recencyColumns(arms);
  return dataTable({
    id: "recency",
    note: `${RECENCY_TITLE}.`,
    columns: ["arm", ...columns.map(({ title }) => title)],
    rows: arms.map((one) => ({
      name: one.arm,
      cells: columns.map(({ cell }) => cell(one)),
      isBaseline: one.arm === findings.baseline,
    })),
  });
}
