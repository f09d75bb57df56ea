/** What is watched of every epoch's order. */
import type { OrderMonitors } from "../record/epoch-metrics.js";
import { seriesChart } from "./batches.js";
import type { Point, Series } from "./chart.js";
import { lookFor } from "./curves.js";
import type { ReportData, RunData } from "./data.js";
import { type Html, html, section } from "./html.js";
import type { Look } from "./looks.js";

interface Monitor {
  readonly key: keyof OrderMonitors;
  readonly title: string;
  readonly y: string;
  readonly what: string;
}

const MONITORS: readonly Monitor[] = [
  {
    key: "meanLossAgeSteps",
    title: "Age of the losses that ordered",
    y: "steps",
    what: "the mean age of the losses that ordered, in steps,",
  },
  {
    key: "rankCorrelation",
    title: "Rank correlation with the order before",
    y: "Spearman's ρ",
    what: "the rank correlation with the order before",
  },
  {
    key: "distinct",
    title: "Different samples drawn",
    y: "samples",
    what: "the number of different samples drawn in an epoch",
  },
  {
    key: "mostDrawn",
    title: "Draws of the sample drawn most often",
    y: "draws",
    what: "the number of draws of the sample that came most often",
  },
  {
    key: "effectiveDataSize",
    title: "Effective size of the data",
    y: "samples, 1/Σp²",
    what: "the effective size of the data (1/Σp²)",
  },
  {
    key: "effectiveSampleSize",
    title: "Effective sample size of the weights",
    y: "samples, Kish",
    what: "the effective sample size of the weights (Kish)",
  },
  {
    key: "classesPerBatch",
    title: "Classes in a batch",
    y: "classes",
    what: "the mean number of different classes in a batch",
  },
  {
    key: "classDistance",
    title: "Classes of a batch, from those of the whole",
    y: "total variation",
    what: "the mean total-variation distance of a batch's classes from those of the whole",
  },
  { key: "meanWeight", title: "Mean weight", y: "weight", what: "the mean weight" },
];

export function monitors({ arms }: ReportData, looks: ReadonlyMap<string, Look>): Html | undefined {
  const all = MONITORS.map(({ key, title, y, what }) => {
    const series = arms.flatMap(({ arm, runs }): Series[] => {
      const points = meanOf(runs, key);
      return points.length === 0 ? [] : [{ arm, look: lookFor(looks, arm), points }];
    });
    const { isChart, shown } = seriesChart(series, { title, x: "epochs", y }, { unit: what });
    const some = series.length < arms.length && !isChart && shown !== undefined;
    return {
      isChart,
      shown: some ? html`<p class="note">${series.map(({ arm }) => arm).join(", ")}:</p>${shown}` : shown,
    };
  });
  if (all.every(({ shown }) => shown === undefined)) return undefined;
  return section(
    "orders",
    "How the orders behave",
    html`<p class="note">Mean over the seeds; an arm is in a chart where its order has such a number.</p>`,
    html`<div class="charts">${all.filter(({ isChart }) => isChart).map(({ shown }) => shown)}</div>`,
    all.filter(({ isChart }) => !isChart).map(({ shown }) => shown),
  );
}

function meanOf(runs: readonly RunData[], key: keyof OrderMonitors): Point[] {
  const values = new Map<number, number[]>();
  for (const { epoch, order } of runs.flatMap(({ metrics }) => metrics)) {
    const value = order[key];
    if (value !== undefined) values.set(epoch, [...(values.get(epoch) ?? []), value]);
  }
  return [...values]
    .sort(([a], [b]) => a - b)
    .map(([epoch, all]) => ({ x: epoch + 1, y: all.reduce((sum, value) => sum + value, 0) / all.length }));
}
