/** How the losses of single samples lie, epoch by epoch. */
import type { Band, LineChart } from "./chart.js";
import { lookFor } from "./curves.js";
import type { LossDistribution, ReportData } from "./data.js";
import { absent, figure, type Html, html, section } from "./html.js";
import type { Look } from "./looks.js";
import { short } from "./numbers.js";
import { draw } from "./plot.js";

/** Below this a sample is learned, whatever its loss is; a logarithmic axis needs an end. */
const FLOOR = 0.001;

export function losses({ arms }: ReportData, looks: ReadonlyMap<string, Look>): Html {
  const shown = arms.flatMap(({ arm, example }) =>
    example === undefined || example.losses.length === 0 ? [] : [{ arm, seed: example.seed, losses: example.losses }],
  );
  const title = "How the losses of the samples are spread";
  if (shown.length === 0) return section("losses", title, absent("No epoch's losses are on record (signals/loss)."));
  const highest = shown.flatMap((one) => one.losses.map(({ quantiles }) => quantiles.p95));
  const yDomain = [FLOOR, 1.15 * highest.reduce((most, value) => Math.max(most, value), 2 * FLOOR)] as const;
  const xMost = shown.flatMap((one) => one.losses).reduce((most, { epoch }) => Math.max(most, epoch + 1), 1);
  return section(
    "losses",
    title,
    html`<p class="note">Each sample's loss in its training pass, of one run an arm: the line is the median, the darker band holds the middle half, the paler one nine tenths. One logarithmic scale for all; what is below ${FLOOR} is drawn there.</p>`,
    html`<div class="charts small">${shown.map(({ arm, seed, losses: all }) => {
      const picture = draw({ ...distribution(arm, lookFor(looks, arm), all), yDomain, xMost });
      return picture && figure(arm, picture, caption(seed, all));
    })}</div>`,
  );
}

function distribution(arm: string, look: Look, all: readonly LossDistribution[]): LineChart {
  const band = (from: "p05" | "p25", to: "p75" | "p95", opacity: number): Band => ({
    look,
    opacity,
    points: all.map(({ epoch, quantiles }) => ({
      x: epoch + 1,
      low: floored(quantiles[from]),
      high: floored(quantiles[to]),
    })),
  });
  const points = all.map(({ epoch, quantiles }) => ({ x: epoch + 1, y: floored(quantiles.p50) }));
  const last = all.at(-1)?.quantiles.p50 ?? Number.NaN;
  return {
    title: `Losses of the samples in ${arm} over epochs`,
    x: "epochs",
    y: "loss",
    scale: "log",
    size: "small",
    bands: [band("p05", "p95", 0.16), band("p25", "p75", 0.3)],
    lines: [{ label: last < FLOOR ? `< ${FLOOR}` : String(Number(last.toPrecision(2))), look, points }],
  };
}

const floored = (loss: number): number => Math.max(FLOOR, loss);

function caption(seed: number, all: readonly LossDistribution[]): string {
  const notFinite = all.reduce((count, one) => count + one.notFinite, 0);
  return `seed ${seed}${notFinite > 0 ? `; ${short(notFinite)} losses were not finite and are left out` : ""}`;
}
