/** What a person is told of an experiment's results. */
import type { LaunchResult } from "../launch/launch.js";
import { whole, within } from "../results/layout.js";
import { renderTable } from "../results/table.js";
import { widthOf } from "./width.js";

/** The tables, fitted to a terminal, and where all of it lies. */
export function resultsText({ directory, page, summary, findings }: Told): string {
  const width = widthOf(process.stdout);
  const isFitted = Number.isFinite(width);
  const layout = isFitted ? within(width) : whole;
  const rest = isFitted ? "Whole tables: table.md there\n" : "";
  const report = page === undefined ? "" : `Report: ${page}\n`;
  return `\n${renderTable(summary, findings, layout)}\nRecorded in ${directory}\n${rest}${report}`;
}

type Told = Pick<LaunchResult, "directory" | "page" | "summary" | "findings">;
