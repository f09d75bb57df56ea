/** Every comparison in numbers: difference, interval, effect, the test that claims, and how often runs diverged. */
import type { Comparison, Findings } from "../record/findings-document.js";
import type { Difference } from "../record/statistics-document.js";
import { effectText, hasEffect } from "../results/effect-text.js";
import { testsThatClaim } from "../results/notes.js";
import { counted, PERCENT, pText, signed, signedRange } from "../results/number-text.js";
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
  return html`${accuracyTable(findings)}${lossTable(findings)}`;
}

const nameOf = ({ name, planned }: Comparison): string => `${name}${planned ? "" : " †"}`;

function lossTable({ comparisons }: Findings): Html {
  const losses = comparisons.map(({ loss }) => loss);
  const isExplained = comparisons.some(({ accuracy }) => hasEffect(accuracy));
  const withEffect = losses.some(hasEffect);
  return dataTable({
    id: "loss-differences",
    note: `Descriptive: the same differences of test loss. They are not tested, and nothing is claimed by them.${isExplained ? "" : effectNote(losses)}`,
    columns: ["difference", "loss", ...(withEffect ? ["d_z"] : [])],
    rows: comparisons.map((one) => ({
      name: nameOf(one),
      cells: [difference(one.loss, 4, 1), ...(withEffect ? [effect(one.loss)] : [])],
    })),
  });
}

function accuracyTable({ comparisons, confidence }: Findings): Html {
  const accuracies = comparisons.map(({ accuracy }) => accuracy);
  const planned = comparisons.filter((one) => one.planned);
  const withRanks = (planned.length > 0 ? planned : comparisons).some(({ accuracy }) => canShowByRanks(accuracy));
  const withEffect = accuracies.some(hasEffect);
  const hasDiverged = comparisons.some(({ accuracy }) => accuracy.divergence !== null);
  const interval = `${Number((PERCENT * confidence).toFixed(2))} % interval of this comparison alone`;
  return dataTable({
    id: "comparisons",
    note: `Differences of the last epoch's test accuracy, which alone claims something, seed by seed: mean, and below it the ${interval}.${effectNote(accuracies)} ${pNote(comparisons)}${hasDiverged ? DIVERGED : ""}${comparisons.some(isTooFew) ? TOO_FEW : ""}`,
    columns: [
      "difference",
      "accuracy, points",
      ...(withEffect ? ["d_z"] : []),
      "p",
      ...(withRanks ? ["p, signed rank"] : []),
      "verdict",
      ...(hasDiverged ? ["diverged, runs"] : []),
      "pairs",
    ],
    rows: comparisons.map((one) => ({
      name: nameOf(one),
      cells: cellsOf(one, { withEffect, withRanks, hasDiverged }),
    })),
  });
}

function effectNote(differences: readonly Difference[]): string {
  const text = effectText(differences);
  return text === undefined ? "" : ` ${text}.`;
}

/** What p are corrected over, as the notes count it. */
function pNote(comparisons: readonly Comparison[]): string {
  const planned = comparisons.filter((one) => one.planned).map(({ accuracy }) => accuracy);
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

const isTooFew = ({ accuracy }: Comparison): boolean =>
  (accuracy.claim !== null && !canClaim(accuracy)) ||
  (accuracy.divergence !== null && !canShowDivergence(accuracy.divergence));

interface Shown {
  readonly withEffect: boolean;
  readonly withRanks: boolean;
  readonly hasDiverged: boolean;
}

function cellsOf({ planned, accuracy }: Comparison, { withEffect, withRanks, hasDiverged }: Shown): Part[] {
  const { wilcoxon, wilcoxonHolm, n, ranked } = accuracy;
  return [
    difference(accuracy, 2, PERCENT),
    ...(withEffect ? [effect(accuracy)] : []),
    claimText(accuracy),
    ...(withRanks ? [canShowByRanks(accuracy) ? shown(planned ? wilcoxonHolm : wilcoxon?.p, pText) : "–"] : []),
    planned ? verdictText(accuracy) : "–",
    ...(hasDiverged ? [divergence(accuracy)] : []),
    n === ranked ? n : html`${ranked}<small>${n} finished</small>`,
  ];
}

function divergence(accuracy: Difference): Part {
  if (accuracy.divergence === null) return "–";
  const { arm, armRuns, baseline, baselineRuns, p, holm } = accuracy.divergence;
  const verdict = divergenceVerdict(accuracy);
  const told = canShowDivergence(accuracy.divergence)
    ? `p ${pText(holm ?? p)}${verdict === null ? "" : `: ${verdict}`}`
    : divergenceText(accuracy, accuracy.divergence);
  return html`${arm} of ${armRuns}<small>other ${baseline} of ${baselineRuns}</small><small>${told}</small>`;
}

/** None where it would be of survivors alone. */
const difference = ({ mean, interval, lack }: Difference, digits: number, scale: number): Part =>
  lack === "diverged runs"
    ? "–"
    : html`${shown(mean, (value) => signed(scale * value, digits))}${interval === null ? undefined : html`<small>${signedRange(interval, digits, scale)}</small>`}`;

const effect = ({ effectCorrected }: Difference): string => shown(effectCorrected, (value) => signed(value, 2));

const shown = (value: number | null | undefined, text: (value: number) => string): string =>
  value === null || value === undefined ? "–" : text(value);
