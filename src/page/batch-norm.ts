/** The same samples under the three kinds of BatchNorm's statistics. */

import type { BatchNormMetrics, Measured } from "../record/epoch-metrics.js";
import { fromRecorded } from "../record/number.js";
import { spread } from "../results/summary.js";
import { lossText, percent, spreadText } from "../results/summary-text.js";
import { lookFor } from "./curves.js";
import type { ArmData, ReportData } from "./data.js";
import { dataTable } from "./data-table.js";
import { type Html, html, section } from "./html.js";
import type { Look } from "./looks.js";
import { swatch } from "./swatch.js";

const COLUMNS: readonly { readonly name: string; readonly of: (found: BatchNormMetrics) => Measured | undefined }[] = [
  { name: "test, running", of: ({ test }) => test?.running },
  { name: "test, batch", of: ({ test }) => test?.batch },
  { name: "test, re-estimated", of: ({ test }) => test?.reestimated },
  { name: "own batches, batch", of: ({ ownBatches }) => ownBatches?.batch },
  { name: "own batches, running", of: ({ ownBatches }) => ownBatches?.running },
];

/** Undefined where no model has BatchNorm. */
export function batchNorm({ arms, baseline }: ReportData, looks: ReadonlyMap<string, Look>): Html | undefined {
  const shown = arms.flatMap((arm) => {
    const found = lastOf(arm);
    return found.length === 0 ? [] : [{ arm: arm.arm, found }];
  });
  if (shown.length === 0) return undefined;
  return section(
    "batch-norm",
    "What BatchNorm makes of it",
    dataTable({
      id: "batch-norm-statistics",
      note: "Accuracy, %, and loss after the last epoch, mean ± sd over seeds. Test: a fixed shuffled part of the test set, normalised by the running statistics, by those of the batch under way, and by statistics estimated anew on the training set. Own batches: batches that the arm trained on last, normalised by those batches and by the running statistics. Where these differ much, an accuracy says more about BatchNorm than about what was learned.",
      columns: ["arm", ...COLUMNS.map(({ name }) => name)],
      rows: shown.map(({ arm, found }) => ({
        name: html`${swatch(lookFor(looks, arm))}${arm}`,
        cells: COLUMNS.map(({ of }) => cell(found.flatMap((one) => of(one) ?? []))),
        isBaseline: arm === baseline,
      })),
    }),
  );
}

const lastOf = ({ runs }: ArmData): BatchNormMetrics[] =>
  runs.flatMap(({ metrics }) => metrics.at(-1)?.batchNorm ?? []);

const cell = (measured: readonly Measured[]): Html =>
  html`${spreadText(spread(measured.map(({ accuracy }) => accuracy)), percent)}<small>loss ${spreadText(spread(measured.map(({ loss }) => fromRecorded(loss))), lossText)}</small>`;
