import { fromRecorded, type RecordedNumber } from "../record/number.js";
import type { ArmSummary, Spread, Summary } from "./summary.js";

/** The final table, in Markdown that is laid out to be read as it stands. */
export function renderTable(summary: Summary): string {
  const { name, seeds, arms } = summary;
  const lengths = new Set(arms.map(({ epochs }) => epochs));
  const over = seeds.length === 1 ? `seed ${seeds[0]}` : `mean ± sd over seeds ${list(seeds)}`;
  const header = ["arm", "test accuracy, %", "test loss", "runs"];
  const rows = arms.map((arm) => [
    armName(arm),
    percent(arm.testAccuracy),
    loss(arm.testLoss),
    runs(arm, seeds.length),
  ]);
  if (lengths.size > 1) {
    header.push("epochs");
    for (const [at, { epochs }] of arms.entries()) rows[at].push(String(epochs));
  }
  return `${name}: test set after ${howLong([...lengths])}, ${over}\n\n${markdown(header, rows)}${objectives(arms)}${failures(arms)}`;
}

const OTHER_OBJECTIVE = "*";

/** What the star beside an arm means. */
export const OTHER_OBJECTIVE_NOTE = `${OTHER_OBJECTIVE} trains on a part whose expected gradient is not that of the mean loss over all samples: another objective`;

const armName = ({ arm, changesObjective }: ArmSummary): string =>
  changesObjective ? `${arm} ${OTHER_OBJECTIVE}` : arm;

function objectives(arms: readonly ArmSummary[]): string {
  return arms.some(({ changesObjective }) => changesObjective) ? `\n${OTHER_OBJECTIVE_NOTE}\n` : "";
}

function howLong([epochs, ...others]: readonly number[]): string {
  if (others.length > 0) return "the last epoch";
  return epochs === 1 ? "1 epoch" : `${epochs} epochs`;
}

/** From so many seeds on, neighbours are told by the first and the last. */
const LONG_RANGE = 4;

/** 0, 1, 2, or 0 … 9, 17 */
function list(seeds: readonly number[]): string {
  const ranges: number[][] = [];
  for (const seed of seeds) {
    const range = ranges.at(-1);
    if (range !== undefined && range.at(-1) === seed - 1) range.push(seed);
    else ranges.push([seed]);
  }
  return ranges
    .map((range) => (range.length < LONG_RANGE ? range.join(", ") : `${range[0]} … ${range.at(-1)}`))
    .join(", ");
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
    rows.reduce((widest, row) => Math.max(widest, row[column].length), Math.max(title.length, SHORTEST_RULE)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => (isLeft(at) ? cell.padEnd(widths[at]) : cell.padStart(widths[at]))).join(" | ")} |`;
  const rule = widths.map((width, at) => (isLeft(at) ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return `${[line(header), line(rule), ...rows.map(line)].join("\n")}\n`;
}
