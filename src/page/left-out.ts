/** What is damaged on record, first of all: the rest is made without it. */
import { counted } from "../results/number-text.js";
import type { ReportData } from "./data.js";
import { type Html, html, section } from "./html.js";

/** Undefined where nothing is. */
export function leftOut({ leftOut: lines }: ReportData): Html | undefined {
  if (lines.length === 0) return undefined;
  return section(
    "left-out",
    "Left out",
    html`<p class="absent">${counted(lines.length, "record")} on disk ${lines.length === 1 ? "is" : "are"} damaged, and this page is made without:</p>
<ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>`,
  );
}
