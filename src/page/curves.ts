/** Accuracy and loss, over epochs, samples and seconds. */

import type { EpochMetrics, Measured } from "../record/epoch-metrics.js";
import { fromRecorded } from "../record/number.js";
import { extentOf, type Line, type LineChart, type Point, scaleFor, withoutOutliers } from "./chart.js";
import type { ArmData, ReportData, RunData } from "./data.js";
import { absent, figure, type Html, html, section } from "./html.js";
import type { Look } from "./looks.js";
import { draw } from "./plot.js";

type Quantity = "accuracy" | "loss";
type On = "test" | "trainSample" | "validation";
/** What a run had spent when so much of an epoch was done; NaN where that is known of its end alone. */
type Cost = (run: DrawnRun, at: number, share: number) => number;
/** What curves are of. */
type DrawnRun = Pick<RunData, "metrics" | "timings"> & { readonly document: Pick<RunData["document"], "state"> };

const ON: Readonly<Record<On, string>> = {
  test: "test set",
  trainSample: "a fixed sample of the training set",
  validation: "validation set",
};

interface CostAxis {
  readonly name: string;
  readonly x: string;
  readonly of: Cost;
}

export const EPOCHS: CostAxis = {
  name: "epochs",
  x: "epochs",
  of: ({ metrics }, at, share) => metrics[at].epoch + share,
};

const COSTS: readonly CostAxis[] = [
  {
    name: "samples trained on",
    x: "samples trained on",
    of: ({ metrics }, at, share) => sum(metrics.slice(0, at), ({ samples }) => samples) + share * metrics[at].samples,
  },
  {
    name: "seconds of training and scoring",
    x: "seconds of training and scoring",
    of: ({ timings, metrics }, at, share) => {
      if (share < 1) return Number.NaN;
      const until = timings.filter(({ epoch }) => epoch <= metrics[at].epoch);
      return until.length === 0 ? Number.NaN : sum(until, (line) => line.trainingSeconds + line.scoringSeconds);
    },
  },
];

export function curves(data: ReportData, looks: ReadonlyMap<string, Look>, strong: ReadonlySet<string>): Html {
  const drawn = { data, looks, strong };
  const byEpoch = (["accuracy", "loss"] as const).flatMap((quantity) =>
    (["test", "trainSample", "validation"] as const).flatMap((on) => chartOf(drawn, { quantity, on, cost: EPOCHS })),
  );
  const byCost = COSTS.flatMap((cost) =>
    (["accuracy", "loss"] as const).flatMap((quantity) => chartOf(drawn, { quantity, on: "test", cost })),
  );
  if (byEpoch.length === 0) return section("curves", "Accuracy and loss", absent("No epoch was evaluated yet."));
  return html`${section(
    "curves",
    "Change of accuracy and loss over epochs",
    html`<p class="note">${bandText(data)}${greyText(data, strong)}</p>`,
    html`<div class="charts">${byEpoch}</div>`,
    noTrainSample(data),
  )}${section(
    "costs",
    "The same over what it cost",
    html`<p class="note">On the test set. Samples count each time they are trained on; seconds are those of training and scoring passes, evaluations left out.</p>`,
    html`<div class="charts">${byCost}</div>`,
  )}${strong.size < data.arms.length ? oneByOne(data, looks) : undefined}`;
}

const bandText = ({ seeds }: ReportData): string =>
  seeds.length === 1
    ? `One seed (${seeds[0]}), so there is no band. A cross: the run diverged after that epoch.`
    : "Lines: mean over the seeds that recorded the epoch. Bands: from the lowest to the highest of them. A cross: a run diverged after that epoch.";

function greyText({ arms, baseline }: ReportData, strong: ReadonlySet<string>): string {
  const others = arms.length - strong.size;
  if (others === 0) return "";
  return ` In colour: the arms that end farthest from ${baseline ?? "the middle"} in test accuracy. Grey: the other ${others}. Each alone: below, arm by arm.`;
}

const noTrainSample = ({ arms }: ReportData): Html | undefined =>
  arms.some(({ runs }) => runs.some(({ metrics }) => metrics.some(({ trainSample }) => trainSample !== undefined)))
    ? undefined
    : absent(
        "No sample of the training set was evaluated (evaluation.trainSample: 0), so there are no training curves.",
      );

interface Wanted {
  readonly quantity: Quantity;
  readonly on: On;
  readonly cost: CostAxis;
}

interface Drawn {
  readonly data: ReportData;
  readonly looks: ReadonlyMap<string, Look>;
  readonly strong: ReadonlySet<string>;
}

function chartOf({ data, looks, strong }: Drawn, wanted: Wanted): Html[] {
  const lines = data.arms.map((arm) => ({
    ...lineOf(arm, lookFor(looks, arm.arm), wanted),
    ...(!strong.has(arm.arm) && { muted: true }),
  }));
  const chart = asChart(lines, wanted);
  const picture = draw(chart);
  return picture === undefined ? [] : [figure(chart.title, picture), ...closer(lines, wanted)];
}

/** The same without arms that lie far from all others and squeeze them into a line. */
function closer(lines: readonly Line[], wanted: Wanted): Html[] {
  const kept = withoutOutliers(lines);
  const left = lines.filter((line) => !kept.includes(line)).map(({ label }) => label);
  if (left.length === 0 || kept.length === 0) return [];
  const chart = asChart(kept, wanted);
  const picture = draw(chart);
  return picture === undefined ? [] : [figure(`${chart.title}, closer`, picture, `Without ${left.join(", ")}.`)];
}

function asChart(lines: readonly Line[], { quantity, on, cost }: Wanted): LineChart {
  const scale = quantity === "loss" ? scaleFor(extentOf({ lines })) : "linear";
  return {
    title: `${quantity === "accuracy" ? "Accuracy" : "Loss"} on ${on === "trainSample" ? "the training sample" : `the ${ON[on]}`} over ${cost.name}`,
    x: cost.x,
    y: quantity === "accuracy" ? "accuracy, %" : scale === "log" ? "loss, logarithmic" : "loss",
    unit: quantity === "accuracy" ? "percent" : "number",
    scale,
    lines,
  };
}

export function lineOf(
  arm: Pick<ArmData, "arm"> & { readonly runs: readonly DrawnRun[] },
  look: Look,
  { quantity, on, cost }: Wanted,
): Line {
  const places = arm.runs.flatMap((run) =>
    run.metrics.flatMap((metrics, at) =>
      lookedAt(metrics).flatMap(({ share, nth, evaluated }) => {
        const y = figureOf(evaluated[on], quantity);
        const x = cost.of(run, at, share);
        return y === undefined || Number.isNaN(x) ? [] : [{ run, key: `${metrics.epoch} ${nth}`, x, y }];
      }),
    ),
  );
  const keys = [...new Set(places.map(({ key }) => key))];
  const points = keys
    .map((key) => meanPoint(places.filter((place) => place.key === key)))
    .sort(({ x: a }, { x: b }) => a - b);
  const ends = arm.runs.flatMap((run) =>
    run.document.state === "diverged"
      ? (places.findLast((place) => place.run === run && Number.isFinite(place.y)) ?? [])
      : [],
  );
  return { label: arm.arm, look, points, ends: ends.map(({ x, y }) => ({ x, y })) };
}

/** Where an epoch was evaluated: after which share of it, and the nth time, 0 for its end. */
function lookedAt(metrics: EpochMetrics) {
  const within = (metrics.within ?? []).map((point, at) => ({
    ...{ share: point.samples / metrics.samples, nth: at + 1, evaluated: point },
  }));
  return [...within, { share: 1, nth: 0, evaluated: metrics }];
}

function figureOf(measured: Measured | undefined, quantity: Quantity): number | undefined {
  if (measured === undefined) return undefined;
  return quantity === "accuracy" ? measured.accuracy : fromRecorded(measured.loss);
}

function meanPoint(places: readonly Point[]): Point {
  const values = places.map(({ y }) => y);
  return {
    x: sum(places, ({ x }) => x) / places.length,
    y: sum(places, ({ y }) => y) / places.length,
    low: values.reduce((least, value) => Math.min(least, value)),
    high: values.reduce((most, value) => Math.max(most, value)),
  };
}

/** A small chart an arm, with the baseline behind it: lines that lie over each other cannot be told apart. */
function oneByOne(data: ReportData, looks: ReadonlyMap<string, Look>): Html {
  const wanted = { quantity: "accuracy", on: "test", cost: EPOCHS } as const;
  const baseline = data.arms.find(({ arm }) => arm === data.baseline);
  const behind = baseline && { ...lineOf(baseline, lookFor(looks, baseline.arm), wanted), background: true };
  const lines = data.arms.map((arm) => lineOf(arm, lookFor(looks, arm.arm), wanted));
  const kept = withoutOutliers(lines);
  const extent = extentOf({ lines: kept });
  const charts = lines
    .filter(({ label }) => label !== data.baseline)
    .flatMap((line) => {
      const shown = [...(behind === undefined ? [] : [behind]), { ...line, label: lastValue(line) }];
      const picture = draw({
        ...asChart(shown, wanted),
        size: "small",
        ...(extent && kept.includes(line) && { yDomain: extent }),
      });
      return picture === undefined ? [] : [figure(line.label, picture)];
    });
  return section(
    "one-by-one",
    "Test accuracy, arm by arm",
    html`<p class="note">One scale${kept.length < lines.length ? ", but for what lies far from all others" : ""}.${baseline && ` The thin line behind is ${baseline.arm}.`}</p>`,
    html`<div class="charts small">${charts}</div>`,
  );
}

function lastValue({ points }: Line): string {
  const last = points.findLast(({ y }) => Number.isFinite(y));
  return last === undefined ? "" : (100 * last.y).toFixed(1);
}

export function lookFor(looks: ReadonlyMap<string, Look>, arm: string): Look {
  const look = looks.get(arm);
  if (look === undefined) throw new Error(`arm ${arm} has no look`);
  return look;
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
