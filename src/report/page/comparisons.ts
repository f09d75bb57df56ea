/** Every comparison in numbers: difference, interval, effect, the test that claims, and how often runs diverged. */
import type { Comparison, Findings } from "../findings.js";
import { PERCENT, pText, signed, signedRange } from "../number-text.js";
import type { Difference } from "../statistics.js";
import { canShowByRanks, divergenceVerdict, verdictText } from "../verdict.js";
import { dataTable } from "./data-table.js";
import { type Html, html, type Part } from "./html.js";

export function comparisonTable({ comparisons, confidence }: Findings): Html | undefined {
  if (comparisons.length === 0) return undefined;
  const exploratory = comparisons.some(({ planned }) => !planned)
    ? "; of those that were not planned (†) as it is, which claims nothing"
    : "";
  const withRanks = comparisons.some(({ accuracy }) => canShowByRanks(accuracy));
  const hasDiverged = comparisons.some(({ accuracy }) => accuracy.divergence !== null);
  return dataTable({
    id: "comparisons",
    note: `Differences of the last epoch, seed by seed: mean, and below it the ${Number((PERCENT * confidence).toFixed(2))} % interval of this comparison alone. d_z: mean / sd, corrected for few seeds. p: two-sided, of test accuracy, after Holm's correction over all that may claim${exploratory}. Verdicts are of test accuracy; loss is descriptive.${hasDiverged ? DIVERGED : ""}`,
    columns: [
      "difference",
      "accuracy, points",
      "d_z",
      "p",
      ...(withRanks ? ["p, signed rank"] : []),
      "verdict",
      ...(hasDiverged ? ["diverged, runs"] : []),
      "loss",
      "pairs",
    ],
    rows: comparisons.map((one) => ({
      name: `${one.name}${one.planned ? "" : " †"}`,
      cells: cellsOf(one, { withRanks, hasDiverged }),
    })),
  });
}

const DIVERGED =
  " Where a run of a pair diverged it counts as the worst: p is of the exact signed-rank test, and means and intervals, which would be of survivors alone, are left out. How often runs diverged has Fisher's exact test.";

function cellsOf(
  { planned, accuracy, loss }: Comparison,
  { withRanks, hasDiverged }: { readonly withRanks: boolean; readonly hasDiverged: boolean },
): Part[] {
  const { claim, wilcoxon, wilcoxonHolm, n, ranked } = accuracy;
  return [
    difference(accuracy, 2, PERCENT),
    shown(accuracy.effectCorrected, (effect) => signed(effect, 2)),
    shown(claim && (claim.holm ?? claim.p), (p) => `${pText(p)}${claim?.test === "t" ? "" : " (ranks)"}`),
    ...(withRanks ? [canShowByRanks(accuracy) ? shown(planned ? wilcoxonHolm : wilcoxon?.p, pText) : "–"] : []),
    planned ? verdictText(accuracy) : "–",
    ...(hasDiverged ? [divergence(accuracy)] : []),
    difference(loss, 4, 1),
    n === ranked ? n : `${ranked}, ${n} finished`,
  ];
}

function divergence(accuracy: Difference): Part {
  if (accuracy.divergence === null) return "–";
  const { arm, armRuns, baseline, baselineRuns, p, holm } = accuracy.divergence;
  const verdict = divergenceVerdict(accuracy);
  return html`${arm} of ${armRuns}, other ${baseline} of ${baselineRuns}<small>p ${pText(holm ?? p)}${verdict === null ? "" : `: ${verdict}`}</small>`;
}

/** None where it would be of survivors alone. */
const difference = ({ mean, interval, lack }: Difference, digits: number, scale: number): Part =>
  lack === "diverged runs"
    ? "–"
    : html`${shown(mean, (value) => signed(scale * value, digits))}${interval === null ? undefined : html`<small>${signedRange(interval, digits, scale)}</small>`}`;

const shown = (value: number | null | undefined, text: (value: number) => string): string =>
  value === null || value === undefined ? "–" : text(value);
