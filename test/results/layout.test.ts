// Tables and lines that fit a terminal.
import { expect, test } from "vitest";
import { type Column, whole, within, wrap } from "../../src/results/layout.js";

interface Row {
  readonly name: string;
  readonly mean: string;
}
const COLUMNS: readonly Column<Row>[] = [
  { title: "difference", cell: ({ name }) => name, rank: 0 },
  { title: "95 % interval", cell: () => "−0.20 to +0.61", rank: 1 },
  { title: "mean", cell: ({ mean }) => mean, rank: 0 },
  { title: "effect", cell: () => "+0.45", rank: 2 },
];
const ROWS: readonly Row[] = [
  { name: "frozen − shuffled", mean: "+0.21" },
  { name: "easiest-first − shuffled", mean: "−0.19" },
];
const widest = (text: string) => Math.max(...text.split("\n").map((line) => line.length));

test("where it fits, a table is Markdown with all its columns", () => {
  expect(within(80).table(COLUMNS, ROWS)).toBe(whole.table(COLUMNS, ROWS));
});

test.each([79, 60, 55, 45, 40])("in %d columns no line is longer, and what is left out is named", (width) => {
  const text = within(width).table(COLUMNS, ROWS);
  expect(widest(text)).toBeLessThanOrEqual(width);
  const isWhole = text === whole.table(COLUMNS, ROWS);
  expect(text.includes("Left out here: ")).toBe(!isWhole);
});

test("of the columns that may go, the lowest rank comes first, then whatever still fits", () => {
  const narrow = within(60).table(COLUMNS, ROWS);
  expect(narrow).toContain("Left out here: effect\n");
  expect(narrow).toContain("95 % interval");
  expect(within(47).table(COLUMNS, ROWS)).toContain("Left out here: 95 % interval\n");
  expect(within(40).table(COLUMNS, ROWS)).toContain("Left out here: 95 % interval; effect\n");
});

test("where not even those fit, a row is a paragraph", () => {
  expect(within(30).table(COLUMNS, ROWS)).toBe(
    "frozen − shuffled: mean +0.21\neasiest-first − shuffled: mean\n  −0.19\nLeft out here: 95 % interval;\neffect\n",
  );
});

test("lines break between words, never before %, and go on with an indent", () => {
  expect(wrap("- test accuracy 91.23 % of it", 21, "  ")).toBe("- test accuracy\n  91.23 % of it");
  expect(wrap("mean 95.12 ± 0.46", 13)).toBe("mean\n95.12 ± 0.46");
  expect(wrap("a-word-that-is-longer x", 5)).toBe("a-word-that-is-longer\nx");
  expect(whole.line("as long as it is")).toBe("as long as it is");
});
