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
