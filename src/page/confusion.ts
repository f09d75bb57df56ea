/** Which classes are taken for which. */

import { counted } from "../results/number-text.js";
import { sharedNames } from "./batches.js";
import type { ArmData, Confusion, ReportData } from "./data.js";
import { cells, shadeKey } from "./heat.js";
import { absent, figure, type Html, html, section } from "./html.js";

interface Counted {
  readonly counts: Confusion;
}

const SIZE = 360;
const LABELS = 30;
/** Up to so many classes, counts stand in the cells. */
const MOST_NUMBERED = 12;

export function confusion({ arms }: ReportData): Html {
  const title = "Which classes are taken for which";
  const shown = arms.flatMap(({ arm, classNames, confusion: counts }) =>
    counts === undefined ? [] : [{ arm, classNames, counts }],
  );
  const matrices = shown.flatMap(({ arm, classNames, counts: { seeds, counts } }) =>
    counts === undefined ? [] : [{ arm, classNames, seeds, counts }],
  );
  const lists = shown.filter(({ counts }) => counts.counts === undefined);
  const names = sharedNames(matrices);
  if (shown.length === 0) {
    return section(
      "confusion",
      title,
      absent("Not shown: this record has no predictions (test-predictions.u32, datasets/)."),
    );
  }
  const pictures =
    matrices.length === 0
      ? []
      : [
          html`<p class="note">Test set after the last epoch. A row is the true class, a column the predicted one${
            names !== undefined && names.length <= MOST_NUMBERED
              ? ` (${names.map((name, at) => `${at}: ${name}`).join(", ")})`
              : ""
          }; shades are shares of the row.</p>`,
          shadeKey("of the class"),
          html`<div class="charts">${matrices.map(({ arm, seeds, counts }) =>
            figure(arm, matrix(arm, counts), `counted over ${counted(seeds.length, "seed")}`),
          )}</div>`,
        ];
  return section("confusion", title, ...pictures, ...lists.map(pairsOf));
}

/** In words, where a square of all classes would show nothing. */
function pairsOf({ arm, classNames, counts: { pairs, seeds } }: Pick<ArmData, "arm" | "classNames"> & Counted): Html {
  const name = (label: number) => classNames?.[label] ?? String(label);
  const where = `${arm}, test set after the last epoch, counted over ${counted(seeds.length, "seed")}`;
  if (pairs.length === 0) return html`<p class="note">${where}: no class was taken for another one.</p>`;
  return html`<p class="note">${where}: what was confused most often, of more classes than a picture has room for.</p>
<ol>${pairs.map(({ label, predicted, times }) => html`<li>${name(label)} taken for ${name(predicted)}: ${times} times</li>`)}</ol>`;
}

function matrix(arm: string, counts: readonly (readonly number[])[]): Html {
  const side = Number(((SIZE - LABELS) / counts.length).toFixed(2));
  const totals = counts.map((row) => row.reduce((sum, count) => sum + count, 0));
  const rows = counts.map((row, label) => row.map((count) => (totals[label] === 0 ? 0 : count / totals[label])));
  const every = Math.ceil(counts.length / 12);
  const at = (place: number) => Number((LABELS + (place + 0.5) * side).toFixed(2));
  const names = counts.flatMap((_, label) =>
    label % every === 0
      ? [
          html`<text x="${LABELS - 6}" y="${at(label)}" dy="0.32em" text-anchor="end">${label}</text><text x="${at(label)}" y="${LABELS - 9}" text-anchor="middle">${label}</text>`,
        ]
      : [],
  );
  const numbers =
    counts.length > MOST_NUMBERED
      ? []
      : counts.flatMap((row, y) =>
          row.flatMap((count, x) =>
            count === 0
              ? []
              : [
                  html`<text x="${at(x)}" y="${at(y)}" dy="0.32em" text-anchor="middle"${rows[y][x] > 0.4 ? html` fill="var(--paper)"` : undefined}>${count}</text>`,
                ],
          ),
        );
  const map = { title: arm, rows, cell: { width: side, height: side }, color: "var(--heat)" };
  const end = Number((side * counts.length).toFixed(2));
  return html`<svg class="plot" role="img" aria-label="${`Confusion matrix of ${arm}`}" viewBox="0 0 ${SIZE} ${SIZE}" width="${SIZE}" height="${SIZE}" font-size="10"><rect x="${LABELS}" y="${LABELS}" width="${end}" height="${end}" fill="var(--field)"/><g shape-rendering="crispEdges">${cells(map, LABELS, LABELS)}</g><g fill="currentColor">${names}${numbers}</g></svg>`;
}
