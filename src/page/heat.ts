/** Small heat maps: one path a shade, so that thousands of cells stay small. */
import { type Html, html } from "./html.js";

/** Shades between nothing and all; the style sheet's ink at these opacities. */
const SHADES = [0.1, 0.24, 0.46, 0.72, 1];
/** Share up to which each shade goes: finer where it is small, for a batch of many classes holds little of each. */
const BOUNDS = [0.05, 0.1, 0.2, 0.5, 1];

export interface HeatMap {
  readonly title: string;
  /** Rows of shares of the fullest, 0 … 1. */
  readonly rows: readonly (readonly number[])[];
  readonly cell: { readonly width: number; readonly height: number };
  readonly color: string;
}

/** 0 for an empty cell, then 1 … SHADES.length. */
export const shadeOf = (share: number): number => (share <= 0 ? 0 : 1 + BOUNDS.findIndex((bound) => share <= bound));

/** The cells alone, from (left, top) on. */
export function cells({ rows, cell, color }: HeatMap, left: number, top: number): Html[] {
  return SHADES.flatMap((opacity, at) => {
    const places = rows.flatMap((row, y) =>
      row.flatMap((share, x) =>
        shadeOf(share) === at + 1
          ? [
              `M${round(left + x * cell.width)},${round(top + y * cell.height)}h${cell.width}v${cell.height}h-${cell.width}z`,
            ]
          : [],
      ),
    );
    return places.length === 0 ? [] : [html`<path d="${places.join("")}" fill="${color}" fill-opacity="${opacity}"/>`];
  });
}

const round = (value: number): number => Number(value.toFixed(2));

/** What the shades mean. */
export const shadeKey = (what: string): Html =>
  html`<p class="note key">${SHADES.map(
    (opacity, at) =>
      html`<span><svg width="14" height="10" aria-hidden="true"><rect width="14" height="10" fill="var(--heat)" fill-opacity="${opacity}"/></svg> to ${100 * BOUNDS[at]} %</span> `,
  )}${what}</p>`;
