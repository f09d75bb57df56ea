/** Test accuracy within the last epoch, against its end. */
import type { Findings } from "../record/findings-document.js";
import { RECENCY_COLUMNS, RECENCY_TITLE, recentArms } from "../results/recency.js";
import { dataTable } from "./data-table.js";
import type { Html } from "./html.js";

/** Undefined where no arm was evaluated before its end. */
export function recencyTable(findings: Findings): Html | undefined {
  const arms = recentArms(findings);
  if (arms.length === 0) return undefined;
  return dataTable({
    id: "recency",
    note: `${RECENCY_TITLE}.`,
    columns: ["arm", ...RECENCY_COLUMNS.map(({ title }) => title)],
    rows: arms.map((one) => ({
      name: one.arm,
      cells: RECENCY_COLUMNS.map(({ cell }) => cell(one)),
      isBaseline: one.arm === findings.baseline,
    })),
  });
}
