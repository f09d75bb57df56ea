import { fromRecorded, type RecordedNumber } from "../record/number.js";
import type { ArmSummary, Spread, Summary } from "./summary.js";

/** The final table, in Markdown that is laid out to be read as it stands. */
export function renderTable(summary: Summary): string {
  const { name, epochs, seeds, arms } = summary;
  const over = seeds.length === 1 ? "1 seed" : `mean ± sd over ${seeds.length} seeds`;
  const rows = arms.map((arm) => [arm.arm, percent(arm.testAccuracy), loss(arm.testLoss), runs(arm, seeds.length)]);
  const table = markdown(["arm", "test accuracy, %", "test loss", "runs"], rows);
  return `${name}: test set after ${epochs === 1 ? "1 epoch" : `${epochs} epochs`}, ${over}\n\n${table}${failures(arms)}`;
}

const percent = (value: Spread | null): string => show(value, (number) => (100 * number).toFixed(2));
const loss = (value: Spread | null): string => show(value, (number) => number.toFixed(4));

function show(value: Spread | null, format: (number: number) => string): string {
  if (value === null) return "–";
  const formatted = (number: RecordedNumber) => (typeof number === "number" ? format(fromRecorded(number)) : number);
  return value.sd === null ? formatted(value.mean) : `${formatted(value.mean)} ± ${formatted(value.sd)}`;
}

function runs({ done, diverged, failed }: ArmSummary, planned: number): string {
  const parts = [`${done} of ${planned}`];
  if (diverged > 0) parts.push(`${diverged} diverged`);
  if (failed > 0) parts.push(`${failed} failed`);
  return parts.join(", ");
}

function failures(arms: readonly ArmSummary[]): string {
  const lines = arms.flatMap(({ arm, runs: all }) =>
    all.flatMap(({ seed, error, divergedAtStep }) => {
      if (error !== undefined) return [`${arm}, seed ${seed} failed: ${error}`];
      return divergedAtStep === undefined ? [] : [`${arm}, seed ${seed} diverged at step ${divergedAtStep}`];
    }),
  );
  return lines.length === 0 ? "" : `\n${lines.join("\n")}\n`;
}

/** Characters of "-:", which Markdown needs below a title. */
const SHORTEST_RULE = 2;

/** A Markdown table, columns aligned: the first one to the left, the others to the right unless told otherwise. */
export function markdown(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  others: "left" | "right" = "right",
): string {
  const isLeft = (column: number) => column === 0 || others === "left";
  const widths = header.map((title, column) =>
    Math.max(title.length, SHORTEST_RULE, ...rows.map((row) => row[column].length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => (isLeft(at) ? cell.padEnd(widths[at]) : cell.padStart(widths[at]))).join(" | ")} |`;
  const rule = widths.map((width, at) => (isLeft(at) ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return `${[line(header), line(rule), ...rows.map(line)].join("\n")}\n`;
}
