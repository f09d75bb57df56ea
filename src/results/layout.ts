/** How tables and lines are laid out: whole, as Markdown; or so that they fit a terminal. */
import { markdown } from "../markdown-table.js";

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** Where the width is short the lowest come first; 0 is always there. */
  readonly rank: number;
}

export interface Layout {
  /** Ends with a line's end. */
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string;
  /** Those that the table shows. */
  shown<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): readonly Column<Row>[];
  /** A line, or as many as it takes, without the last end; those after the first begin with `indent`. */
  line(text: string, indent?: string): string;
}

const rendered = <Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string =>
  markdown(
    columns.map(({ title }) => title),
    rows.map((row) => columns.map(({ cell }) => cell(row))),
  );

/** Every column, and lines as long as they are. */
export const whole: Layout = { table: rendered, shown: (columns) => columns, line: (text) => text };

/** Within so many characters: the columns that fit, and lines broken between words. */
export function within(width: number): Layout {
  const line = (text: string, indent = "") => wrap(text, width, indent);
  return {
    line,
    shown: (columns, rows) => fitting(columns, rows, width),
    table(columns, rows) {
      const kept = fitting(columns, rows, width);
      const left = new Set(columns.filter((column) => !kept.includes(column)).map(({ title }) => title));
      const told = left.size === 0 ? "" : `${line(`Left out here: ${[...left].join("; ")}`)}\n`;
      const table = rendered(kept, rows);
      return `${widthOf(table) <= width ? table : blocks(kept, rows, line)}${told}`;
    },
  };
}

const widthOf = (table: string): number => table.indexOf("\n");

/** Those that stay, and of the others, the lowest rank first, each that fits beside them. */
function fitting<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): readonly Column<Row>[] {
  const others = columns.filter(({ rank }) => rank > 0).sort((a, b) => a.rank - b.rank);
  let kept = columns.filter(({ rank }) => rank === 0);
  for (const other of others) {
    const more = columns.filter((column) => column === other || kept.includes(column));
    if (widthOf(rendered(more, rows)) <= width) kept = more;
  }
  return kept;
}

/** Where not even the columns that stay fit: a paragraph a row. */
const blocks = <Row>(
  [first, ...others]: readonly Column<Row>[],
  rows: readonly Row[],
  line: (text: string, indent: string) => string,
): string =>
  rows
    .map(
      (row) =>
        `${line(`${first.cell(row)}: ${others.map(({ title, cell }) => `${title} ${cell(row)}`).join("; ")}`, "  ")}\n`,
    )
    .join("");

/** Broken between words, a number and its "%" together; a word longer than the width stays whole. */
export function wrap(text: string, width: number, indent = ""): string {
  const words = text.replaceAll(/ (?=[%±])|(?<=±) /g, JOINED).split(" ");
  const lines = [""];
  for (const word of words) {
    const last = lines.length - 1;
    const start = last === 0 ? "" : indent;
    const longer = lines[last] === "" ? word : `${lines[last]} ${word}`;
    if (start.length + longer.length <= width || lines[last] === "") lines[last] = longer;
    else lines.push(word);
  }
  return lines.map((one, at) => (at === 0 ? one : `${indent}${one}`).replaceAll(JOINED, " ")).join("\n");
}

/** Stands for a space at which no line ends. */
const JOINED = "\u00a0";
