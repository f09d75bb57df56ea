/** Every comparison in numbers: difference, interval, effect, the test that claims, and how often runs diverged. */
import type { Comparison, Findings } from "../record/findings-document.js";
import type { Difference } from "../record/statistics-document.js";
import { effectText, hasEffect } from "../results/effect-text.js";
import { testsThatClaim } from "../results/notes.js";
import { counted, PERCENT, pText, signed, signedRange } from "../results/number-text.js";
import { MEASURES, otherThan, type ShownMeasure } from "../results/shown-measure.js";
import {
  canClaim,
  canShowByRanks,
  canShowDivergence,
  claimText,
  divergenceText,
  divergenceVerdict,
  verdictText,
} from "../results/verdict.js";
import { dataTable } from "./data-table.js";
import { type Html, html, type Part } from "./html.js";

export function comparisonTable(findings: Findings): Html | undefined {
  if (findings.comparisons.length === 0) return undefined;
  return html`${primaryTable(findings)}${otherTable(findings)}`;
}

const nameOf = ({ name, planned }: Comparison): string => `${name}${planned ? "" : " †"}`;

const titleOf = ({ kind, unit }: ShownMeasure): string => (unit === "" ? kind : `${kind},${unit}`);

function otherTable({ comparisons, primary }: Findings): Html {
  const measure = otherThan(primary);
  const { kind, name } = measure;
  const all = comparisons.map((one) => one[kind]);
  const isExplained = comparisons.some((one) => hasEffect(one[primary]));
  const withEffect = all.some(hasEffect);
  return dataTable({
    id: `${kind}-differences`,
    note: `Descriptive: the same differences of ${name}. They are not tested, and nothing is claimed by them.${isExplained ? "" : effectNote(all)}`,
    columns: ["difference", titleOf(measure), ...(withEffect ? ["d_z"] : [])],
    rows: comparisons.map((one) => ({
      name: nameOf(one),
      cells: [difference(one[kind], measure), ...(withEffect ? [effect(one[kind])] : [])],
    })),
  });
}

function primaryTable({ comparisons, confidence, primary }: Findings): Html {
  const measure = MEASURES[primary];
  const all = comparisons.map((one) => one[primary]);
  const planned = comparisons.filter((one) => one.planned);
  const withRanks = (planned.length > 0 ? planned : comparisons).some((one) => canShowByRanks(one[primary]));
  const withEffect = all.some(hasEffect);
  const hasDiverged = all.some(({ divergence }) => divergence !== null);
  const interval = `${Number((PERCENT * confidence).toFixed(2))} % interval of this comparison alone`;
  return dataTable({
    id: "comparisons",
    note: `Differences of the last epoch's ${measure.name}, which alone claims something, seed by seed: mean, and below it the ${interval}.${effectNote(all)} ${pNote(comparisons, primary)}${hasDiverged ? DIVERGED : ""}${all.some(isTooFew) ? TOO_FEW : ""}`,
    columns: [
      "difference",
      titleOf(measure),
      ...(withEffect ? ["d_z"] : []),
      "p",
      ...(withRanks ? ["p, signed rank"] : []),
      "verdict",
      ...(hasDiverged ? ["diverged, runs"] : []),
      "pairs",
    ],
    rows: comparisons.map((one) => ({
      name: nameOf(one),
      cells: cellsOf(one, { measure, withEffect, withRanks, hasDiverged }),
    })),
  });
}

function effectNote(differences: readonly Difference[]): string {
  const text = effectText(differences);
  return text === undefined ? "" : ` ${text}.`;
}

/** What p are corrected over, as the notes count it. */
function pNote(comparisons: readonly Comparison[], primary: Findings["primary"]): string {
  const planned = comparisons.filter((one) => one.planned).map((one) => one[primary]);
  if (planned.length === 0) return "p: two-sided, as it is; none was planned (†), so none claims anything.";
  const tests = testsThatClaim(planned);
  const over = tests === planned.length ? counted(tests, "planned comparison") : `${tests} tests of what was planned`;
  const exploratory =
    planned.length < comparisons.length ? "; of those that were not planned (†) as it is, which claims nothing" : "";
  return `p: two-sided${tests === 1 ? "" : `, after Holm's correction over the ${over}`}${exploratory}.`;
}

const DIVERGED =
  " Where a run of a pair diverged it counts as the worst: p is of the exact signed-rank test, and means and intervals, which would be of survivors alone, are left out. How often runs diverged has Fisher's exact test.";

const TOO_FEW = " Where seeds are too few for such a test to show anything, its p is left out.";

const isTooFew = (found: Difference): boolean =>
  (found.claim !== null && !canClaim(found)) || (found.divergence !== null && !canShowDivergence(found.divergence));

interface Shown {
  readonly measure: ShownMeasure;
  readonly withEffect: boolean;
  readonly withRanks: boolean;
  readonly hasDiverged: boolean;
}

function cellsOf(comparison: Comparison, { measure, withEffect, withRanks, hasDiverged }: Shown): Part[] {
  const { planned, [measure.kind]: found } = comparison;
  const { wilcoxon, wilcoxonHolm, n, ranked } = found;
  return [
    difference(found, measure),
    ...(withEffect ? [effect(found)] : []),
    claimText(found),
    ...(withRanks ? [canShowByRanks(found) ? shown(planned ? wilcoxonHolm : wilcoxon?.p, pText) : "–"] : []),
    planned ? verdictText(found, measure) : "–",
    ...(hasDiverged ? [divergence(found)] : []),
    n === ranked ? n : html`${ranked}<small>${n} finished</small>`,
  ];
}

function divergence(found: Difference): Part {
  if (found.divergence === null) return "–";
  const { arm, armRuns, baseline, baselineRuns, p, holm } = found.divergence;
  const verdict = divergenceVerdict(found);
  const told = canShowDivergence(found.divergence)
    ? `p ${pText(holm ?? p)}${verdict === null ? "" : `: ${verdict}`}`
    : divergenceText(found, found.divergence);
  return html`${arm} of ${armRuns}<small>other ${baseline} of ${baselineRuns}</small><small>${told}</small>`;
}

/** None where it would be of survivors alone. */
const difference = ({ mean, interval, lack }: Difference, { digits, scale }: ShownMeasure): Part =>
  lack === "diverged runs"
    ? "–"
    : html`${shown(mean, (value) => signed(scale * value, digits))}${interval === null ? undefined : html`<small>${signedRange(interval, digits, scale)}</small>`}`;

const effect = ({ effectCorrected }: Difference): string => shown(effectCorrected, (value) => signed(value, 2));

const shown = (value: number | null | undefined, text: (value: number) => string): string =>
  value === null || value === undefined ? "–" : text(value);
