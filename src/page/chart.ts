/** A chart of lines, as data: what `plot.ts` draws. */
import { type Look, lookOf } from "./looks.js";

export interface Point {
  readonly x: number;
  /** Not finite: the line has a gap here. */
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
}

/** A filled band without a line, from `low` to `high`. */
export interface Band {
  readonly look: Look;
  readonly opacity: number;
  readonly points: readonly { readonly x: number; readonly low: number; readonly high: number }[];
}

export interface Line {
  /** Stands at its end. */
  readonly label: string;
  readonly look: Look;
  readonly points: readonly Point[];
  /** Runs that ended at a loss that was not finite: the last place before, marked with a cross. */
  readonly ends?: readonly Point[];
  /** Without a label and thin: what others are compared with. */
  readonly background?: boolean;
  /** One of many that are shown elsewhere: grey, thin, without label and band. */
  readonly muted?: boolean;
}

export interface LineChart {
  /** Said to those who cannot see it. */
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly lines: readonly Line[];
  readonly bands?: readonly Band[];
  readonly scale?: "linear" | "log";
  /** Shares are drawn in percent. */
  readonly unit?: "percent" | "number";
  /** Values hold until the next one. */
  readonly steps?: boolean;
  readonly size?: "full" | "small";
  /** Forces the same axis on charts that are to be compared. */
  readonly yDomain?: readonly [number, number];
  readonly xMost?: number;
}

export interface Series {
  readonly arm: string;
  readonly look: Look;
  readonly points: readonly Point[];
}

/** Series that are equal point by point become one line, named after all of them. */
export function groupEqual(series: readonly Series[]): { readonly line: Line; readonly arms: readonly string[] }[] {
  const groups = new Map<string, Series[]>();
  for (const one of series) {
    const key = JSON.stringify(one.points);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].map((group) => ({
    arms: group.map(({ arm }) => arm),
    line: {
      label: groupName(group, series.length),
      look: group.length === series.length ? lookOf(0) : group[0].look,
      points: group[0].points,
    },
  }));
}

function groupName(group: readonly Series[], all: number): string {
  if (group.length === 1) return group[0].arm;
  return group.length === all ? "all arms" : `${group[0].arm} + ${group.length - 1}`;
}

/** Lowest and highest of all that is drawn; undefined where nothing can be. */
export function extentOf({ lines, bands = [] }: Pick<LineChart, "lines" | "bands">): [number, number] | undefined {
  const ofLines = lines.flatMap(({ points, ends = [] }) =>
    [...points, ...ends].flatMap(({ y, low, high }) => [y, low ?? y, high ?? y]),
  );
  const ofBands = bands.flatMap(({ points }) => points.flatMap(({ low, high }) => [low, high]));
  const finite = [...ofLines, ...ofBands].filter(Number.isFinite);
  if (finite.length === 0) return undefined;
  return [
    finite.reduce((least, value) => Math.min(least, value)),
    finite.reduce((most, value) => Math.max(most, value)),
  ];
}

/** A line this much farther out than the others squeezes them: without it they would fill three times the height. */
const SQUEEZED = 0.35;

/** The lines without those few whose ends lie far from all others; all of them where there are none. */
export function withoutOutliers(lines: readonly Line[]): readonly Line[] {
  const most = Math.floor(lines.length / 3);
  let kept = lines.filter((line) => Number.isFinite(lastOf(line)));
  for (let left = 0; left < most; left++) {
    const middle = median(kept.map(lastOf));
    const farthest = kept.reduce((far, line) =>
      Math.abs(lastOf(line) - middle) > Math.abs(lastOf(far) - middle) ? line : far,
    );
    const fewer = kept.filter((line) => line !== farthest);
    if (heightOf(fewer) > SQUEEZED * heightOf(kept)) break;
    kept = fewer;
  }
  return kept;
}

/** The last value of a line; NaN where it has none. */
export const lastOf = ({ points }: Line): number => points.findLast(({ y }) => Number.isFinite(y))?.y ?? Number.NaN;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

function heightOf(lines: readonly Line[]): number {
  const extent = extentOf({ lines });
  return extent === undefined ? 0 : extent[1] - extent[0];
}

/** Losses that span more than this are drawn on a logarithmic axis. */
const WIDE = 20;

export const scaleFor = (extent: readonly [number, number] | undefined): "linear" | "log" =>
  extent !== undefined && extent[0] > 0 && extent[1] / extent[0] > WIDE ? "log" : "linear";
