/** How an arm looks in every chart: a colour of Okabe and Ito's palette and a dash, so that colour is not the only sign. */

export interface Look {
  readonly color: string;
  /** SVG's stroke-dasharray; undefined for a whole line. */
  readonly dash: string | undefined;
  readonly width: number;
}

/** Colours beside the ink; the style sheet gives each of them for light and for dark. None is like another. */
const COLORS = 6;
/** Their number has no factor in common with that of the colours, so that each comes with each. */
const DASHES = [undefined, "7 3", "2 2.5", "9 3 2 3", "10 2.5 2 2.5 2 2.5"];

/** 0 is the ink, which the baseline has; others from 1 on. */
export function lookOf(index: number): Look {
  if (index === 0) return { color: "var(--ink)", dash: undefined, width: 1.8 };
  return {
    color: `var(--arm-${((index - 1) % COLORS) + 1})`,
    dash: DASHES[(index - 1) % DASHES.length],
    width: 1.8,
  };
}

/** The baseline is drawn in ink, the others in the sequence of the config. */
export function looksOf(arms: readonly string[], baseline: string | undefined): ReadonlyMap<string, Look> {
  let next = 1;
  return new Map(arms.map((arm) => [arm, lookOf(arm === baseline ? 0 : next++)]));
}
