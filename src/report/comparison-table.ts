/** The table's part on differences between arms: what was planned, then what was not. */
import type { Comparison, Findings } from "./findings.js";
import { markdown } from "./markdown-table.js";
import { PERCENT, pText, signed, signedRange } from "./number-text.js";
import { ALPHA } from "./sentences.js";
import { type Difference, type Interval, LEAST_PAIRS_FOR_BCA } from "./statistics.js";

/** A section each, of accuracy and of loss. */
export function comparisonTables({ comparisons }: Findings): string[] {
  const planned = comparisons.filter((one) => one.planned);
  const others = comparisons.filter((one) => !one.planned);
  return [
    ...section(`Differences in test accuracy, points, seed by seed (${EFFECT})`, planned, ACCURACY),
    ...section("The same of test loss", planned, LOSS),
    ...section(
      `Exploratory, p as it is: differences in test accuracy, points, seed by seed (${EFFECT})`,
      others,
      ACCURACY,
    ),
    ...section("Exploratory: the same of test loss", others, LOSS),
  ];
}

const EFFECT = "d_z: mean / sd, corrected for few seeds";

interface Measure {
  readonly of: (comparison: Comparison) => Difference;
  /** From its own unit to the one shown. */
  readonly scale: number;
  readonly digits: number;
  /** Which sign is the good one. */
  readonly better: 1 | -1;
}

const ACCURACY: Measure = { of: ({ accuracy }) => accuracy, scale: PERCENT, digits: 2, better: 1 };
const LOSS: Measure = { of: ({ loss }) => loss, scale: 1, digits: 4, better: -1 };

function section(title: string, comparisons: readonly Comparison[], measure: Measure): string[] {
  if (comparisons.length === 0) return [];
  const columns = columnsOf(comparisons, measure);
  const rows = comparisons.map((one) => columns.map(([, cell]) => cell(one)));
  return [
    `${title}\n\n${markdown(
      columns.map(([name]) => name),
      rows,
    )}`,
  ];
}

type Column = readonly [title: string, cell: (comparison: Comparison) => string];

function columnsOf(comparisons: readonly Comparison[], measure: Measure): Column[] {
  const { of, scale, digits, better } = measure;
  const isPlanned = comparisons.every(({ planned }) => planned);
  const after = isPlanned && comparisons.length > 1 ? ", Holm" : "";
  const interval = (found: Interval | null) => (found === null ? "–" : signedRange(found, digits, scale));
  const withBca = comparisons.some((one) => hasBca(of(one)));
  const verdict: Column = ["verdict", (one) => says(of(one), better)];
  return [
    ["difference", ({ name }) => name],
    ["pairs", (one) => String(of(one).n)],
    ["mean", (one) => number(of(one).mean, (mean) => signed(scale * mean, digits))],
    ["95 % interval", (one) => interval(of(one).interval)],
    ...(withBca ? [["95 % BCa", (one) => (hasBca(of(one)) ? interval(of(one).bca) : "–")] satisfies Column] : []),
    ["d_z", (one) => number(of(one).effectCorrected, (effect) => signed(effect, 2))],
    [`p (t${after})`, (one) => number(of(one).tHolm ?? of(one).t?.p ?? null, pText)],
    [`p (Wilcoxon${after})`, (one) => wilcoxon(of(one))],
    ...(isPlanned ? [verdict] : []),
  ];
}

const hasBca = ({ n, bca }: Difference): boolean => n >= LEAST_PAIRS_FOR_BCA && bca !== null;

const number = (value: number | null, text: (value: number) => string): string => (value === null ? "–" : text(value));

/** With the least that it can be, where that is too much to show anything. */
function wilcoxon({ wilcoxon: test, wilcoxonHolm, wilcoxonSmallestHolm }: Difference): string {
  if (test === null) return "–";
  const p = wilcoxonHolm ?? test.p;
  const floor = wilcoxonSmallestHolm ?? test.smallest;
  return floor < ALPHA ? pText(p) : `${pText(p)} (floor ${pText(floor)})`;
}

/** What a planned comparison claims. */
function says({ tHolm, mean }: Difference, better: 1 | -1): string {
  if (tHolm === null || mean === null) return "no test";
  if (tHolm >= ALPHA) return "undecided";
  return mean * better > 0 ? "better" : "worse";
}
