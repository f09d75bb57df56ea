/** Where there are many arms: those that a chart of all draws in colour and by name. */
import { lastOf, withoutOutliers } from "./chart.js";
import { EPOCHS, lineOf } from "./curves.js";
import type { ReportData } from "./data.js";
import { lookOf } from "./looks.js";

/** So many lines with their names fit into a chart. */
const FEW = 7;
/** Beside the baseline: of those that lie far from all others, and of all. */
const MOST_OUTLIERS = 2;
const MOST = 6;

/** All of few arms; of many the baseline and those that end farthest from it (without one: from the median) in test accuracy. */
export function strongArms({ arms, baseline }: ReportData): ReadonlySet<string> {
  if (arms.length <= FEW) return new Set(arms.map(({ arm }) => arm));
  const lines = arms.map((arm) => lineOf(arm, lookOf(0), { quantity: "accuracy", on: "test", cost: EPOCHS }));
  const near = withoutOutliers(lines);
  const ends = lines.map((line) => ({ arm: line.label, end: lastOf(line), isFar: !near.includes(line) }));
  const sorted = ends
    .map(({ end }) => end)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const middle = ends.find(({ arm }) => arm === baseline)?.end ?? sorted[Math.floor(sorted.length / 2)] ?? 0;
  const distance = (end: number) => (Number.isFinite(end) ? Math.abs(end - middle) : 0);
  const farthest = ends.filter(({ arm }) => arm !== baseline).sort((a, b) => distance(b.end) - distance(a.end));
  const outliers = farthest.filter(({ isFar }) => isFar).slice(0, MOST_OUTLIERS);
  const others = farthest.filter(({ isFar }) => !isFar).slice(0, MOST - outliers.length);
  const names = [...outliers, ...others].map(({ arm }) => arm);
  return new Set(baseline === undefined ? names : [baseline, ...names]);
}
