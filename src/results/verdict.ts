/** What a planned comparison claims of the primary measure, the one that carries claims. */
import type { Difference } from "../record/statistics-document.js";
import { pText } from "./number-text.js";
import { ALPHA, smallestFisherP, smallestWilcoxonP } from "./seeds-needed.js";
import type { ShownMeasure } from "./shown-measure.js";

export type Divergence = NonNullable<Difference["divergence"]>;

export interface Verdict {
  /** null where the difference is not shown to be there. */
  readonly difference: "better" | "worse" | null;
  /** Whether it is shown to lie within the margin that the config calls none. */
  readonly isEquivalent: boolean;
}

/** Of a comparison that was planned: its p are corrected. */
export function verdictOn(
  { claim, mean, wilcoxon, equivalence }: Difference,
  { higherIsBetter }: Pick<ShownMeasure, "higherIsBetter">,
): Verdict {
  const isShown = claim !== null && claim.holm !== null && claim.holm < ALPHA;
  const direction = claim?.test === "t" ? (mean ?? 0) : (wilcoxon?.direction ?? 0);
  return {
    difference: !isShown || direction === 0 ? null : direction > 0 === higherIsBetter ? "better" : "worse",
    isEquivalent: equivalence !== null && equivalence.holm !== null && equivalence.holm < ALPHA,
  };
}

/** In a word or two. */
export function verdictText(found: Difference, measure: ShownMeasure): string {
  if (found.claim === null) return LACKING[found.lack ?? "no pairs"];
  if (!canClaim(found)) return TOO_FEW;
  const { difference, isEquivalent } = verdictOn(found, measure);
  if (difference === null) return isEquivalent ? "equivalent" : "undecided";
  return isEquivalent ? `${difference}, within margin` : difference;
}

const TOO_FEW = "too few seeds";

const LACKING: Readonly<Record<NonNullable<Difference["lack"]>, string>> = {
  "no pairs": "no pairs",
  "one pair": TOO_FEW,
  "two pairs": TOO_FEW,
  "equal differences": "no test",
  "diverged runs": "no test",
};

/** Whether the test to claim by could show anything, whatever its differences: the ranks of few pairs cannot. */
export const canClaim = ({ claim, ranked }: Difference): boolean =>
  claim !== null && (claim.test === "t" || smallestWilcoxonP(ranked, 1) < ALPHA);

/** p of the test to claim by, after Holm's correction where there is one, and which test it is unless that is t. */
export function claimText(found: Difference): string {
  const { claim } = found;
  if (claim === null || !canClaim(found)) return "–";
  return `${pText(claim.holm ?? claim.p)}${claim.test === "t" ? "" : " (ranks)"}`;
}

/** Whether Fisher's test could show anything, all runs of one arm having diverged and none of the other. */
export const canShowDivergence = ({ armRuns, baselineRuns }: Divergence): boolean =>
  smallestFisherP(armRuns, baselineRuns) < ALPHA;

/** In a word or two; of a comparison in which a run diverged. */
export function divergenceText(found: Difference, divergence: Divergence): string {
  if (!canShowDivergence(divergence)) return TOO_FEW;
  return divergence.holm === null ? "exploratory" : (divergenceVerdict(found) ?? "undecided");
}

/** Whether the arm is shown to diverge more often than the other, or less. */
export function divergenceVerdict({ divergence }: Difference): "more often" | "less often" | null {
  if (divergence?.holm === null || divergence?.holm === undefined || divergence.holm >= ALPHA) return null;
  const { arm, armRuns, baseline, baselineRuns } = divergence;
  return arm * baselineRuns > baseline * armRuns ? "more often" : "less often";
}

/** Whether the signed-rank test could show anything, all differences being of one sign. */
export const canShowByRanks = ({ wilcoxon, wilcoxonSmallestHolm }: Difference): boolean =>
  wilcoxon !== null && (wilcoxonSmallestHolm ?? wilcoxon.smallest) < ALPHA;
