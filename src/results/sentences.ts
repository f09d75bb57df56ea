/** A comparison as a person would say it, with its uncertainty; each begins after the arm's name. */
import type { Comparison } from "../record/findings-document.js";
import type { RunStatus } from "../record/run-document.js";
import type { Difference } from "../record/statistics-document.js";
import { collapseText } from "./collapse.js";
import { costSentence } from "./cost-sentence.js";
import type { ArmMeasures } from "./measures.js";
import { counted, PERCENT, pEquals, signed, signedRange } from "./number-text.js";
import { lossText } from "./summary-text.js";
import { canClaim, canShowDivergence, divergenceVerdict, verdictOn } from "./verdict.js";

interface Compared {
  readonly arm: ArmMeasures;
  readonly other: ArmMeasures;
  /** Whether p are corrected over more tests than this comparison's one. */
  readonly isCorrected: boolean;
}

export function sentenceOn(comparison: Sayable, compared: Compared): string {
  const parts = [
    collapsed(comparison, compared.arm),
    accuracySentence(comparison, compared),
    lossSentence(comparison),
    divergenceSentence(comparison, compared),
    left(compared.arm),
    costs(comparison, compared),
  ];
  return parts.filter((part) => part !== undefined).join(" ");
}

type Sayable = Omit<Comparison, "sentence">;

const points = (value: number): string => signed(PERCENT * value, 2);

function collapsed({ means }: Sayable, { collapse }: ArmMeasures): string | undefined {
  return collapse && `${collapseText(collapse, means.accuracy.arm)}. It`;
}

function accuracySentence(comparison: Sayable, compared: Compared): string {
  const { accuracy, with: other } = comparison;
  const { n, mean, interval, claim, lack } = accuracy;
  if (lack === "diverged runs") return byRanks(comparison, compared);
  if (mean === null) return `cannot be compared with ${other}: no seed was finished in both.`;
  if (claim === null || interval === null) return withoutTest(accuracy, mean, other);
  const fits = signedRange(interval, 2, PERCENT);
  const seeds = counted(n, "paired seed");
  if (claim.holm === null) {
    return `${distance(mean, other)} (95 % interval ${fits}, ${seeds}, not planned): exploratory, so nothing is claimed.`;
  }
  const p = pShown(claim.holm, compared);
  const verdict = verdictOn(accuracy);
  const within = verdict.isEquivalent && accuracy.equivalence !== null ? accuracy.equivalence : undefined;
  if (verdict.difference !== null) {
    const small = within && `, by less than the margin of ${(PERCENT * within.margin).toFixed(2)} points`;
    return `${distance(mean, other)} (95 % interval ${fits}, ${seeds}, ${p}): ${verdict.difference}${small ?? ""}.`;
  }
  const difference = `the difference is ${points(mean)} points`;
  if (within !== undefined) {
    const margin = `±${(PERCENT * within.margin).toFixed(2)} points of test accuracy`;
    const shown = `90 % interval ${signedRange(within.interval, 2, PERCENT)}, ${seeds}, ${pShown(within.holm ?? within.p, compared)}`;
    return `is level with ${other} within ${margin}: ${difference} (${shown}, two one-sided t tests): equivalent.`;
  }
  if (interval.low <= 0 && interval.high >= 0) {
    return `cannot be told apart from ${other}: ${difference}, and anything from ${fits} fits the ${seeds} (${p}).`;
  }
  return `cannot be told apart from ${other} after Holm's correction: ${difference} (95 % interval of this comparison alone ${fits}, ${seeds}, ${p}).`;
}

const pShown = (p: number, { isCorrected }: Compared): string => `${pEquals(p)}${isCorrected ? " after Holm" : ""}`;

/** Where runs diverged: they count as worse than any other, and means would be of survivors alone. */
function byRanks(comparison: Sayable, compared: Compared): string {
  const { accuracy, with: other } = comparison;
  const { claim, ranked, n, mean, wilcoxon } = accuracy;
  const seeds = counted(ranked, "paired seed");
  const how = `exact signed-rank test over ${seeds}`;
  const howOften = divergence(comparison, compared) ?? "";
  const diverged = `${howOften} Diverged runs ranked as the worst, it`;
  const survivors = mean === null ? "" : ` ${ofSurvivors(n, mean)}`;
  if (!canClaim(accuracy)) {
    const few = ranked === 1 ? "is" : "are";
    return `${howOften} ${seeds} ${few} too few to rank its test accuracies against those of ${other}, diverged runs as the worst: nothing is claimed of them.${survivors}`;
  }
  if (claim === null || claim.holm === null) {
    const leans = (wilcoxon?.direction ?? 0) === 0 ? "neither above nor below" : direction(wilcoxon?.direction ?? 0);
    return `${diverged} ranks ${leans} ${other} in test accuracy (${how}, not planned): exploratory, so nothing is claimed.${survivors}`;
  }
  const { difference } = verdictOn(accuracy);
  const shown = `${how}, ${pShown(claim.holm, compared)}`;
  return difference === null
    ? `${diverged} cannot be told apart from ${other} in test accuracy (${shown}).${survivors}`
    : `${diverged} ranks ${direction(difference === "better" ? 1 : -1)} ${other} in test accuracy (${shown}): ${difference}.${survivors}`;
}

const ofSurvivors = (n: number, mean: number): string =>
  `${n === 1 ? `The one pair without one differs by ${points(mean)} points` : `The ${n} pairs without one differ by ${points(mean)} points in the mean`}, which says nothing of the arm as a whole.`;

const direction = (sign: number): string => (sign < 0 ? "below" : "above");

/** Where differences have no spread to test, or too few seeds have one. */
function withoutTest({ n, lack }: Difference, mean: number, other: string): string {
  if (lack === "one pair")
    return `${distance(mean, other)} on the one seed that both finished, which shows nothing about other seeds.`;
  if (lack === "two pairs")
    return `${distance(mean, other)} in the mean of two paired seeds, too few for an interval or a test: nothing is claimed.`;
  if (isNothing(mean)) return `has the test accuracy of ${other} in each of ${counted(n, "paired seed")}.`;
  return `${distance(mean, other)} in each of ${counted(n, "paired seed")} alike: without spread there is no test, so nothing is claimed.`;
}

const isNothing = (mean: number): boolean => Number((PERCENT * mean).toFixed(2)) === 0;

function distance(mean: number, other: string): string {
  if (isNothing(mean)) return `differs from ${other} by 0.00 points of test accuracy`;
  return `is ${(PERCENT * Math.abs(mean)).toFixed(2)} points ${direction(mean)} ${other} in test accuracy`;
}

/** Where accuracies are the same, what the losses are. */
function lossSentence({ accuracy, means: { loss } }: Sayable): string | undefined {
  const isSame = accuracy.lack === "equal differences" && accuracy.mean !== null && isNothing(accuracy.mean);
  if (!isSame || loss.arm === null || loss.with === null || loss.arm === loss.with) return undefined;
  return `Its mean test loss is ${lossText(loss.arm)} against ${lossText(loss.with)}, which is descriptive.`;
}

/** How often both diverge, where no pair of them says so already. */
function divergenceSentence(comparison: Sayable, compared: Compared): string | undefined {
  const text = comparison.accuracy.lack === "diverged runs" ? undefined : divergence(comparison, compared);
  return text && `It ${text}`;
}

function divergence({ accuracy, with: other }: Sayable, compared: Compared): string | undefined {
  if (accuracy.divergence === null) return undefined;
  const { arm, armRuns, baseline, baselineRuns, p, holm } = accuracy.divergence;
  const counts = `diverged in ${arm} of ${counted(armRuns, "run")}, ${other} in ${baseline} of ${baselineRuns}`;
  if (!canShowDivergence(accuracy.divergence)) return `${counts}, too few runs for a test of how often.`;
  const shown = holm === null ? `${pEquals(p)}, not planned` : pShown(holm, compared);
  const verdict = divergenceVerdict(accuracy);
  return `${counts} (Fisher's exact test, ${shown})${verdict === null ? "" : `: ${verdict}`}.`;
}

/** Runs that these numbers leave out, and why. */
function left({ states }: ArmMeasures): string | undefined {
  const count = (wanted: RunStatus | undefined) => [...states.values()].filter((one) => one === wanted).length;
  const reasons: readonly (readonly [RunStatus | undefined, string])[] = [
    ["failed", "failed"],
    ["interrupted", "interrupted"],
    ["running", "not finished"],
    [undefined, "not on record"],
  ];
  const parts = reasons.flatMap(([state, words]) => (count(state) === 0 ? [] : [`${count(state)} ${words}`]));
  if (parts.length === 0) return undefined;
  return `Of its ${counted(states.size, "run")} ${parts.join(" and ")}, which these numbers leave out.`;
}

function costs({ cost, with: other }: Sayable, compared: Compared): string | undefined {
  const [own, theirs] = [compared.arm.cost, compared.other.cost];
  return own === null || theirs === null || cost === null
    ? undefined
    : costSentence(other, { own, theirs }, cost.epochs);
}
