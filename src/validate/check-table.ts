/** Checks as a table for a terminal. */
import { aligned } from "../aligned.js";
import type { Check } from "../record/validation-record.js";

const COLUMNS = ["check", "verdict", "measured", "tolerance"] as const;

/** A line a check, its detail below it. */
export function checkTable(checks: readonly Check[]): string {
  const [titles, ...lines] = aligned([
    COLUMNS,
    ...checks.map(({ name, verdict, measured, tolerance }) => [name, verdict, measured, tolerance]),
  ]);
  const body = checks.flatMap(({ detail }, at) => [lines[at], ...(detail === "" ? [] : [`    ${detail}`])]);
  return `${[titles, ...body].join("\n")}\n`;
}
