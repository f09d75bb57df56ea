/** Every comparison in numbers: difference, interval, effect, tests. */
import type { Comparison, Findings } from "../findings.js";
import { PERCENT, pText, signed, signedRange } from "../number-text.js";
import type { Difference } from "../statistics.js";
import { dataTable } from "./data-table.js";
import { type Html, html, type Part } from "./html.js";

export function comparisonTable({ comparisons, confidence }: Findings): Html | undefined {
  if (comparisons.length === 0) return undefined;
  const exploratory = comparisons.some(({ planned }) => !planned)
    ? "; of those that were not planned (†) as it is, which claims nothing"
    : "";
  return dataTable({
    id: "comparisons",
    note: `Differences of the last epoch, seed by seed: mean, and below it the ${Number((PERCENT * confidence).toFixed(2))} % t interval of this comparison alone. d_z: mean / sd, corrected for few seeds. p: two-sided, after Holm's correction over the planned comparisons${exploratory}.`,
    columns: ["difference", "accuracy, points", "d_z", "p, t test", "p, Wilcoxon", "loss", "pairs"],
    rows: comparisons.map((one) => ({ name: `${one.name}${one.planned ? "" : " †"}`, cells: cellsOf(one) })),
  });
}

function cellsOf({ planned, accuracy, loss }: Comparison): Part[] {
  const { t, tHolm, wilcoxon, wilcoxonHolm } = accuracy;
  return [
    difference(accuracy, 2, PERCENT),
    shown(accuracy.effectCorrected, (effect) => signed(effect, 2)),
    shown(planned ? tHolm : t?.p, pText),
    shown(planned ? wilcoxonHolm : wilcoxon?.p, pText),
    difference(loss, 4, 1),
    accuracy.n,
  ];
}

const difference = ({ mean, interval }: Difference, digits: number, scale: number): Html =>
  html`${shown(mean, (value) => signed(scale * value, digits))}${interval === null ? undefined : html`<small>${signedRange(interval, digits, scale)}</small>`}`;

const shown = (value: number | null | undefined, text: (value: number) => string): string =>
  value === null || value === undefined ? "–" : text(value);
