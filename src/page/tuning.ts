/** Which learning rates were tried for each arm, and which one it has. */
import type { Findings } from "../record/findings-document.js";
import { tuningColumns, tuningTitle } from "../results/tuning-table.js";
import { armName } from "./cost.js";
import { dataTable } from "./data-table.js";
import type { Html } from "./html.js";
import type { Look } from "./looks.js";

/** Undefined where they are as the config says. */
export function tuningTable({ tuning, baseline }: Findings, looks: ReadonlyMap<string, Look>): Html | undefined {
  if (tuning === undefined) return undefined;
  const columns = tuningColumns(tuning);
  return dataTable({
    id: "tuning",
    note: `${tuningTitle(tuning)}.`,
    columns: ["arm", ...columns.map(({ title }) => title)],
    rows: tuning.arms.map((arm) => ({
      name: armName(arm.arm, looks),
      cells: columns.map(({ cell }) => cell(arm)),
      isBaseline: arm.arm === baseline,
    })),
  });
}
