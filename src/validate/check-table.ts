/** Checks as a table for a terminal. */
import type { Check } from "../record/validation-record.js";

const COLUMNS = ["check", "verdict", "measured", "tolerance"] as const;

/** A line a check, its detail below it. */
export function checkTable(checks: readonly Check[]): string {
  const rows = checks.map(({ name, verdict, measured, tolerance }) => [name, verdict, measured, tolerance]);
  const widths = COLUMNS.map((title, at) =>
    Math.max(...[title, ...rows.map((row) => row[at])].map((text) => text.length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => cell.padEnd(widths[at]))
      .join("  ")
      .trimEnd();
  const body = checks.flatMap(({ detail }, at) => [line(rows[at]), ...(detail === "" ? [] : [`    ${detail}`])]);
  return `${[line(COLUMNS), ...body].join("\n")}\n`;
}
