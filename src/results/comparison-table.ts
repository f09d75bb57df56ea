/** The table's part on differences between arms: what was planned, then what was not; divergence and what claims nothing apart. */
import type { Comparison, Findings } from "../record/findings-document.js";
import type { Difference, Interval } from "../record/statistics-document.js";
import { effectText, hasEffect } from "./effect-text.js";
import type { Column, Layout } from "./layout.js";
import { testsThatClaim } from "./notes.js";
import { pText, signed, signedRange } from "./number-text.js";
import { MEASURES, otherThan, type ShownMeasure } from "./shown-measure.js";
import { LEAST_PAIRS_FOR_BCA } from "./statistics.js";
import {
  canShowByRanks,
  canShowDivergence,
  claimText,
  type Divergence,
  divergenceText,
  verdictText,
} from "./verdict.js";

export function comparisonTables({ comparisons, primary }: Findings, layout: Layout): string[] {
  const [measure, other] = [MEASURES[primary], otherThan(primary)];
  const planned = comparisons.filter((one) => one.planned);
  const others = comparisons.filter((one) => !one.planned);
  const section = (title: string, rows: readonly Comparison[], columns: readonly Column<Comparison>[]): string[] =>
    rows.length === 0 ? [] : [`${layout.line(title)}\n\n${layout.table(columns, rows)}`];
  const isCorrected = testsThatClaim(differencesIn(planned, measure)) > 1;
  const isExplained = differencesIn(comparisons, measure).some(hasEffect);
  const titled = (rows: readonly Comparison[]) =>
    `ifferences in ${inUnit(measure)}, seed by seed${effectTitle(differencesIn(rows, measure))}`;
  return [
    ...section(`D${titled(planned)}`, planned, [
      ...testedColumns(planned, measure, isCorrected ? ", Holm" : ""),
      { title: "verdict", cell: (one) => verdictText(one[primary], measure), rank: 0 },
    ]),
    ...section(
      `Exploratory, p as it is, nothing claimed: d${titled(others)}`,
      others,
      testedColumns(others, measure, ""),
    ),
    ...section(divergenceTitle(comparisons), comparisons.filter(hasDiverged), divergenceColumns(measure)),
    ...section(
      `Descriptive, nothing claimed: differences in ${inUnit(other)}, seed by seed${isExplained ? "" : effectTitle(differencesIn(comparisons, other))}`,
      comparisons,
      describedColumns(comparisons, other),
    ),
  ];
}

const differencesIn = (comparisons: readonly Comparison[], { kind }: ShownMeasure): Difference[] =>
  comparisons.map((one) => one[kind]);

/** As a title names it: with its unit, if that has a name. */
const inUnit = ({ name, unit }: ShownMeasure): string => (unit === "" ? name : `${name},${unit}`);

function effectTitle(differences: readonly Difference[]): string {
  const text = effectText(differences);
  return text === undefined ? "" : ` (${text})`;
}

const NAME: Column<Comparison> = { title: "difference", cell: ({ name }) => name, rank: 0 };

const columnOf =
  ({ kind }: ShownMeasure) =>
  (title: string, rank: number, cell: (found: Difference) => string): Column<Comparison> => ({
    title,
    rank,
    cell: (one) => cell(one[kind]),
  });

function testedColumns(comparisons: readonly Comparison[], measure: ShownMeasure, after: string): Column<Comparison>[] {
  const all = differencesIn(comparisons, measure);
  const column = columnOf(measure);
  return [
    ...meanColumns(measure),
    ...(all.some(hasBca) ? [column("95 % BCa", 5, (found) => (hasBca(found) ? range(found.bca, measure) : "–"))] : []),
    ...effectColumn(all, measure),
    column(`p${after}`, 0, claimText),
    ...(all.some(canShowByRanks)
      ? [column(`p (signed rank${after})`, 4, (found) => (canShowByRanks(found) ? ranked(found) : "–"))]
      : []),
  ];
}

/** Of what claims nothing. */
const describedColumns = (comparisons: readonly Comparison[], measure: ShownMeasure): Column<Comparison>[] => [
  ...meanColumns(measure),
  ...effectColumn(differencesIn(comparisons, measure), measure),
];

function meanColumns(measure: ShownMeasure): Column<Comparison>[] {
  const column = columnOf(measure);
  const { scale, digits } = measure;
  return [
    NAME,
    column("pairs", 2, pairs),
    column("mean", 0, (found) => number(meanOf(found), (mean) => signed(scale * mean, digits))),
    column("95 % interval", 1, (found) => intervalText(found, measure)),
  ];
}

const effectColumn = (all: readonly Difference[], measure: ShownMeasure): Column<Comparison>[] =>
  all.some(hasEffect)
    ? [columnOf(measure)("d_z", 3, (found) => number(found.effectCorrected, (effect) => signed(effect, 2)))]
    : [];

/** Of values; of outcomes where runs diverged. */
const pairs = ({ n, ranked }: Difference): string => (n === ranked ? String(n) : `${ranked}, ${n} finished`);

/** None where it would be of survivors alone. */
const meanOf = ({ mean, lack }: Difference): number | null => (lack === "diverged runs" ? null : mean);

function intervalText({ interval, isCut }: Difference, measure: ShownMeasure): string {
  if (interval === null || !isCut) return range(interval, measure);
  const { scale, digits } = measure;
  const end = (value: number) => `${signed(scale * value, digits)}${Math.abs(value) === 1 ? " (cut)" : ""}`;
  return `${end(interval.low)} to ${end(interval.high)}`;
}

const range = (interval: Interval | null, { digits, scale }: ShownMeasure): string =>
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

/** Its p is corrected with those of the primary measure. */
function divergenceColumns({ kind }: ShownMeasure): Column<Comparison>[] {
  const column = (title: string, cell: (divergence: Divergence, found: Difference) => string): Column<Comparison> => ({
    title,
    rank: 0,
    cell: ({ [kind]: found }) => (found.divergence === null ? "–" : cell(found.divergence, found)),
  });
  return [
    NAME,
    column("diverged", ({ arm, armRuns }) => `${arm} of ${armRuns}`),
    column("other", ({ baseline, baselineRuns }) => `${baseline} of ${baselineRuns}`),
    column("p (Fisher)", (found) => (canShowDivergence(found) ? pText(found.holm ?? found.p) : "–")),
    column("verdict", (divergence, found) => divergenceText(found, divergence)),
  ];
}
