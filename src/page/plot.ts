/** Draws charts as static SVG: the one door to Observable Plot, and to the document that it draws into. */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { type Band, extentOf, type Line, type LineChart, type Point } from "./chart.js";
import { escapeHtml, Html } from "./html.js";
import { short } from "./numbers.js";
import { placeApart } from "./place-apart.js";

const FULL = { width: 360, height: 230, ticks: 5 };
const SMALL = { width: 240, height: 160, ticks: 4 };
const FONT = 11;
/** Width of a letter of the labels, rather too much: they are bold, and fonts differ. */
const LETTER = 7;
const LONGEST_LABEL = 24;
const LINE_HEIGHT = 12;
const MARGIN = { top: 24, bottom: 38, left: 44 };
/** Share of the axis that stays free above and below the lines. */
const AIR = 0.06;

/** Undefined where no value can be drawn. */
export function draw(chart: LineChart): Html | undefined {
  const domain = yDomain(chart);
  if (domain === undefined) return undefined;
  const labelled = chart.lines.filter((line) => !line.background && !line.muted && lastPoint(line) !== undefined);
  const size = chart.size === "small" ? SMALL : FULL;
  const height = Math.max(size.height, labelled.length * LINE_HEIGHT + MARGIN.top + MARGIN.bottom);
  const marginRight = 13 + LETTER * Math.max(...labelled.map(({ label }) => shorten(label).length), 2);
  const most = chart.xMost ?? xMost(chart);
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const svg = Plot.plot({
    document,
    width: size.width,
    height,
    marginTop: MARGIN.top,
    marginBottom: MARGIN.bottom,
    marginLeft: MARGIN.left,
    marginRight,
    className: "plot",
    style: { fontSize: `${FONT}px` },
    x: {
      domain: [0, most],
      label: chart.x,
      labelAnchor: "center",
      labelArrow: "none",
      ticks: xTicks(chart, most, size.ticks + 1),
      tickFormat: tickText,
    },
    y: {
      domain,
      type: chart.scale ?? "linear",
      grid: true,
      label: chart.y,
      labelArrow: "none",
      ticks: chart.scale === "log" ? logTicks(domain) : size.ticks,
      tickFormat: chart.unit === "percent" ? (value: number) => short(100 * value) : tickText,
    },
    marks: [...(chart.bands ?? []).map(bandMark), ...backFirst(chart.lines).flatMap((line) => marksOf(line, chart))],
  });
  for (const style of svg.querySelectorAll("style")) style.remove();
  const y = svg.scale("y");
  const x = svg.scale("x");
  if (y === undefined || x === undefined) throw new Error("a chart without axes");
  const ends = labelled.map((line) => {
    const { x: at, y: value } = lastPoint(line) ?? { x: 0, y: 0 };
    return { line, value, left: x.apply(at), top: y.apply(value) };
  });
  const labels = endLabels(ends, size.width - marginRight, height);
  const head = `<svg role="img" aria-label="${escapeHtml(chart.title)}" `;
  return new Html(`${head}${withShortNumbers(svg.outerHTML).slice("<svg ".length, -"</svg>".length)}${labels}</svg>`);
}

/** A hundredth of a pixel is enough, and the last digits may differ between versions of Node. */
const withShortNumbers = (svg: string): string =>
  svg.replace(/<[^>]+>/g, (tag) => tag.replace(/-?\d+\.\d{3,}/g, (number) => fixed(Number(number))));

/** No half epochs. */
function xTicks(chart: LineChart, most: number, count: number): number | number[] {
  if (chart.x !== "epochs") return count;
  const apart = Math.ceil(most / count);
  return Array.from({ length: Math.floor(most / apart) + 1 }, (_, at) => at * apart);
}

function yDomain(chart: LineChart): [number, number] | undefined {
  const extent = chart.yDomain ?? extentOf(chart);
  if (extent === undefined) return undefined;
  const [low, high] = extent;
  if (chart.yDomain !== undefined) return [low, high];
  if (chart.scale === "log") return [low / 1.15, high * 1.15];
  const air = high > low ? AIR * (high - low) : Math.abs(high) * AIR || 1;
  const least = low >= 0 ? Math.max(0, low - air) : low - air;
  return [least, chart.unit === "percent" ? Math.min(1, high + air) : high + air];
}

/** Below this many decades, 2 and 5 are ticks too. */
const FEW_DECADES = 2.2;

function logTicks([low, high]: readonly [number, number]): number[] {
  const first = Math.floor(Math.log10(low));
  const decades = Array.from({ length: Math.ceil(Math.log10(high)) - first + 1 }, (_, at) => first + at);
  const parts = Math.log10(high / low) < FEW_DECADES ? [1, 2, 5] : [1];
  const ticks = decades.flatMap((decade) => parts.map((part) => Number(`${part}e${decade}`)));
  return ticks.filter((tick) => tick >= low && tick <= high);
}

const xMost = ({ lines, bands = [] }: LineChart): number =>
  [...lines, ...bands].reduce((most, { points }) => points.reduce((max, { x }) => Math.max(max, x), most), 0) || 1;

/** 20,000 becomes 20k, so that ticks fit. */
function tickText(value: number): string {
  if (Math.abs(value) >= 1e6) return `${short(value / 1e6)}M`;
  return Math.abs(value) >= 1e4 ? `${short(value / 1e3)}k` : short(value);
}

const shorten = (label: string): string =>
  label.length > LONGEST_LABEL ? `${label.slice(0, LONGEST_LABEL - 1)}…` : label;

const lastPoint = ({ points }: Line): Point | undefined => points.findLast(({ y }) => Number.isFinite(y));

const curve = (steps: boolean | undefined) => (steps ? "step-after" : "linear");

const bandMark = ({ look, opacity, points }: Band) =>
  Plot.areaY(points, { x: "x", y1: "low", y2: "high", fill: look.color, fillOpacity: opacity });

const backFirst = (lines: readonly Line[]): Line[] => [
  ...lines.filter(({ muted }) => muted),
  ...lines.filter(({ muted }) => !muted),
];

function marksOf({ look, points, ends = [], background, muted }: Line, { steps }: LineChart) {
  if (muted) return [Plot.lineY(points, { x: "x", y: "y", curve: curve(steps), ...MUTED })];
  const spread = points.filter(({ low, high }) => Number.isFinite(low) && Number.isFinite(high));
  const stroke = { stroke: look.color, curve: curve(steps), strokeLinejoin: "round" } as const;
  return [
    spread.some(({ low, high }) => low !== high)
      ? Plot.areaY(spread, { x: "x", y1: "low", y2: "high", fill: look.color, fillOpacity: 0.13 })
      : null,
    Plot.lineY(points, {
      x: "x",
      y: "y",
      ...stroke,
      strokeWidth: background ? 1 : look.width,
      strokeOpacity: background ? 0.45 : 1,
      ...(look.dash !== undefined && { strokeDasharray: look.dash }),
    }),
    ends.length > 0
      ? Plot.dot(ends, { x: "x", y: "y", symbol: "times", stroke: look.color, strokeWidth: 2.2, r: 5 })
      : null,
  ];
}

const MUTED = { stroke: "var(--soft)", strokeWidth: 1, strokeOpacity: 0.5, strokeLinejoin: "round" } as const;

interface End {
  readonly line: Line;
  readonly value: number;
  readonly left: number;
  readonly top: number;
}

/** Many lines that end far from their names are told by colour and dash alone: leaders would cross the chart. */
const FEW = 7;
const NEAR = 30;

/** A dot where each line ends and its name beside it, names kept apart. */
function endLabels(ends: readonly End[], right: number, height: number): string {
  const range = { from: MARGIN.top - 4, to: height - MARGIN.bottom + 4 };
  const tops = placeApart(
    ends.map(({ top }) => top),
    LINE_HEIGHT,
    range,
  );
  const marks = ends.map(({ line, value, left, top }, at) => {
    const { color } = line.look;
    const label = right + 9;
    const name = escapeHtml(line.label);
    const isNear = right - left < NEAR || ends.length <= FEW;
    const leader = `<path d="M${fixed(left + 3)},${fixed(top)}L${fixed(label - 2)},${fixed(tops[at])}" stroke="${color}" stroke-opacity="0.5" fill="none"/>`;
    return (
      (isNear ? leader : "") +
      `<circle cx="${fixed(left)}" cy="${fixed(top)}" r="2.6" fill="${color}"/>` +
      `<text x="${fixed(label)}" y="${fixed(tops[at])}" dy="0.32em" fill="${color}" data-value="${value}">` +
      `${escapeHtml(shorten(line.label))}<title>${name}: ${short(value)}</title></text>`
    );
  });
  return `<g class="ends" text-anchor="start">${marks.join("")}</g>`;
}

const fixed = (value: number): string => String(Number(value.toFixed(2)));
