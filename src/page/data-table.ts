/** Tables of numbers. On a phone each row is a paragraph, in which a cell has its column's name above it. */
import { type Html, html, type Part } from "./html.js";

export interface DataTable {
  readonly id: string;
  /** What its numbers are of; stands above it. */
  readonly note: Part;
  /** Above the names of the rows, then above each column. */
  readonly columns: readonly string[];
  readonly rows: readonly DataRow[];
}

export interface DataRow {
  readonly name: Part;
  readonly cells: readonly Part[];
  readonly isBaseline?: boolean;
}

export function dataTable({ id, note, columns, rows }: DataTable): Html {
  const [first, ...others] = columns;
  return html`<p class="note" id="${id}-note">${note}</p>
<div class="wide"><table class="data" id="${id}" aria-describedby="${id}-note">
<thead><tr><th scope="col">${first}</th>${others.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => rowOf(row, others))}</tbody>
</table></div>
`;
}

const rowOf = ({ name, cells, isBaseline }: DataRow, columns: readonly string[]): Html =>
  html`<tr${isBaseline ? html` class="baseline"` : undefined}><th scope="row">${name}</th>${cells.map(
    (cell, at) => html`<td data-name="${columns[at]}">${cell}</td>`,
  )}</tr>\n`;
