/** The table's part on differences between arms: what was planned, then what was not; losses and divergence apart. */
import type { Comparison, Findings } from "../record/findings-document.js";
import type { Difference, Interval } from "../record/statistics-document.js";
import { effectText, hasEffect } from "./effect-text.js";
import type { Column, Layout } from "./layout.js";
import { testsThatClaim } from "./notes.js";
import { PERCENT, pText, signed, signedRange } from "./number-text.js";
import { LEAST_PAIRS_FOR_BCA } from "./statistics.js";
import {
  canShowByRanks,
  canShowDivergence,
  claimText,
  type Divergence,
  divergenceText,
  verdictText,
} from "./verdict.js";

export function comparisonTables({ comparisons }: Findings, layout: Layout): string[] {
  const planned = comparisons.filter((one) => one.planned);
  const others = comparisons.filter((one) => !one.planned);
  const section = (title: string, rows: readonly Comparison[], columns: readonly Column<Comparison>[]): string[] =>
    rows.length === 0 ? [] : [`${layout.line(title)}\n\n${layout.table(columns, rows)}`];
  const isCorrected = testsThatClaim(accuracies(planned)) > 1;
  const losses = comparisons.map(({ loss }) => loss);
  const isExplained = accuracies(comparisons).some(hasEffect);
  return [
    ...section(`Differences in test accuracy, points, seed by seed${effectTitle(accuracies(planned))}`, planned, [
      ...accuracyColumns(planned, isCorrected ? ", Holm" : ""),
      { title: "verdict", cell: ({ accuracy }) => verdictText(accuracy), rank: 0 },
    ]),
    ...section(
      `Exploratory, p as it is, nothing claimed: differences in test accuracy, points, seed by seed${effectTitle(accuracies(others))}`,
      others,
      accuracyColumns(others, ""),
    ),
    ...section(divergenceTitle(comparisons), comparisons.filter(hasDiverged), DIVERGENCE),
    ...section(
      `Descriptive, nothing claimed: differences in test loss, seed by seed${isExplained ? "" : effectTitle(losses)}`,
      comparisons,
      lossColumns(comparisons),
    ),
  ];
}

const accuracies = (comparisons: readonly Comparison[]): Difference[] => comparisons.map(({ accuracy }) => accuracy);

function effectTitle(differences: readonly Difference[]): string {
  const text = effectText(differences);
  return text === undefined ? "" : ` (${text})`;
}

const NAME: Column<Comparison> = { title: "difference", cell: ({ name }) => name, rank: 0 };

function accuracyColumns(comparisons: readonly Comparison[], after: string): Column<Comparison>[] {
  const withBca = comparisons.some(({ accuracy }) => hasBca(accuracy));
  const withEffect = accuracies(comparisons).some(hasEffect);
  const withWilcoxon = comparisons.some(({ accuracy }) => canShowByRanks(accuracy));
  const ofAccuracy = (title: string, rank: number, cell: (accuracy: Difference) => string): Column<Comparison> => ({
    title,
    rank,
    cell: ({ accuracy }) => cell(accuracy),
  });
  return [
    NAME,
    ofAccuracy("pairs", 2, pairs),
    ofAccuracy("mean", 0, (found) => number(meanOf(found), (mean) => signed(PERCENT * mean, 2))),
    ofAccuracy("95 % interval", 1, accuracyInterval),
    ...(withBca ? [ofAccuracy("95 % BCa", 5, (found) => (hasBca(found) ? range(found.bca, 2, PERCENT) : "–"))] : []),
    ...(withEffect
      ? [ofAccuracy("d_z", 3, (found) => number(found.effectCorrected, (effect) => signed(effect, 2)))]
      : []),
    ofAccuracy(`p${after}`, 0, claimText),
    ...(withWilcoxon
      ? [ofAccuracy(`p (signed rank${after})`, 4, (found) => (canShowByRanks(found) ? ranked(found) : "–"))]
      : []),
  ];
}

/** Of values; of outcomes where runs diverged. */
const pairs = ({ n, ranked }: Difference): string => (n === ranked ? String(n) : `${ranked}, ${n} finished`);

/** None where it would be of survivors alone. */
const meanOf = ({ mean, lack }: Difference): number | null => (lack === "diverged runs" ? null : mean);

function accuracyInterval({ interval, isCut }: Difference): string {
  if (interval === null || !isCut) return range(interval, 2, PERCENT);
  const end = (value: number) => `${signed(PERCENT * value, 2)}${Math.abs(value) === 1 ? " (cut)" : ""}`;
  return `${end(interval.low)} to ${end(interval.high)}`;
}

const range = (interval: Interval | null, digits: number, scale: number): string =>
  interval === null ? "–" : signedRange(interval, digits, scale);

const hasBca = ({ n, bca }: Difference): boolean => n >= LEAST_PAIRS_FOR_BCA && bca !== null;

const ranked = ({ wilcoxon, wilcoxonHolm }: Difference): string => number(wilcoxonHolm ?? wilcoxon?.p ?? null, pText);

const number = (value: number | null, text: (value: number) => string): string => (value === null ? "–" : text(value));

// --- How often runs diverged

const divergenceTitle = (comparisons: readonly Comparison[]): string =>
  comparisons.some(({ accuracy: { divergence } }) => divergence !== null && canShowDivergence(divergence))
    ? "How often runs diverged: a test of its own (p after Holm's correction where planned)"
    : "How often runs diverged";

const hasDiverged = ({ accuracy }: Comparison): boolean => accuracy.divergence !== null;

const ofDivergence = (
  title: string,
  rank: number,
  cell: (divergence: Divergence, accuracy: Difference) => string,
): Column<Comparison> => ({
  title,
  rank,
  cell: ({ accuracy }) => (accuracy.divergence === null ? "–" : cell(accuracy.divergence, accuracy)),
});

const DIVERGENCE: readonly Column<Comparison>[] = [
  NAME,
  ofDivergence("diverged", 0, ({ arm, armRuns }) => `${arm} of ${armRuns}`),
  ofDivergence("other", 0, ({ baseline, baselineRuns }) => `${baseline} of ${baselineRuns}`),
  ofDivergence("p (Fisher)", 0, (found) => (canShowDivergence(found) ? pText(found.holm ?? found.p) : "–")),
  ofDivergence("verdict", 0, (found, accuracy) => divergenceText(accuracy, found)),
];

// --- Losses

function lossColumns(comparisons: readonly Comparison[]): Column<Comparison>[] {
  const withEffect = comparisons.some(({ loss }) => hasEffect(loss));
  const ofLoss = (title: string, rank: number, cell: (loss: Difference) => string): Column<Comparison> => ({
    title,
    rank,
    cell: ({ loss }) => cell(loss),
  });
  return [
    NAME,
    ofLoss("pairs", 2, pairs),
    ofLoss("mean", 0, (found) => number(meanOf(found), (mean) => signed(mean, 4))),
    ofLoss("95 % interval", 1, ({ interval }) => range(interval, 4, 1)),
    ...(withEffect ? [ofLoss("d_z", 3, (found) => number(found.effectCorrected, (effect) => signed(effect, 2)))] : []),
  ];
}
