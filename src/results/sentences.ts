/** A comparison as a person would say it, with its uncertainty; each begins after the arm's name. */
import type { Comparison } from "../record/findings-document.js";
import type { RunStatus } from "../record/run-document.js";
import type { Difference } from "../record/statistics-document.js";
import { collapseText } from "./collapse.js";
import { costSentence } from "./cost-sentence.js";
import type { ArmMeasures } from "./measures.js";
import { counted, pEquals, signed, signedRange } from "./number-text.js";
import type { ShownMeasure } from "./shown-measure.js";
import { lossText } from "./summary-text.js";
import { canClaim, canShowDivergence, divergenceVerdict, verdictOn } from "./verdict.js";

interface Compared {
  readonly arm: ArmMeasures;
  readonly other: ArmMeasures;
  /** The primary one, which the sentence is about. */
  readonly measure: ShownMeasure;
  /** Whether p are corrected over more tests than this comparison's one. */
  readonly isCorrected: boolean;
}

export function sentenceOn(comparison: Sayable, compared: Compared): string {
  const parts = [
    collapsed(comparison, compared.arm),
    mainSentence(comparison, compared),
    lossSentence(comparison, compared),
    divergenceSentence(comparison, compared),
    left(compared.arm),
    costs(comparison, compared),
  ];
  return parts.filter((part) => part !== undefined).join(" ");
}

type Sayable = Omit<Comparison, "sentence">;

/** A difference, in the unit that it is shown in. */
const shownBy = (value: number, { scale, digits, unit }: ShownMeasure): string =>
  `${signed(scale * value, digits)}${unit}`;

const marginShown = (margin: number, { scale, digits, unit }: ShownMeasure): string =>
  `${(scale * margin).toFixed(digits)}${unit}`;

function collapsed({ means }: Sayable, { collapse }: ArmMeasures): string | undefined {
  return collapse && `${collapseText(collapse, means.accuracy.arm)}. It`;
}

function mainSentence(comparison: Sayable, compared: Compared): string {
  const { with: other } = comparison;
  const { measure } = compared;
  const found = comparison[measure.kind];
  const { n, mean, interval, claim, lack } = found;
  if (lack === "diverged runs") return byRanks(comparison, compared);
  if (mean === null) return `cannot be compared with ${other}: no seed was finished in both.`;
  if (claim === null || interval === null) return withoutTest(found, mean, other, measure);
  const fits = signedRange(interval, measure.digits, measure.scale);
  const seeds = counted(n, "paired seed");
  if (claim.holm === null) {
    return `${distance(mean, other, measure)} (95 % interval ${fits}, ${seeds}, not planned): exploratory, so nothing is claimed.`;
  }
  const p = pShown(claim.holm, compared);
  const verdict = verdictOn(found, measure);
  const within = verdict.isEquivalent && found.equivalence !== null ? found.equivalence : undefined;
  if (verdict.difference !== null) {
    const small = within && `, by less than the margin of ${marginShown(within.margin, measure)}`;
    return `${distance(mean, other, measure)} (95 % interval ${fits}, ${seeds}, ${p}): ${verdict.difference}${small ?? ""}.`;
  }
  const difference = `the difference is ${shownBy(mean, measure)}`;
  if (within !== undefined) {
    const margin = `±${marginShown(within.margin, measure)} of ${measure.name}`;
    const shown = `90 % interval ${signedRange(within.interval, measure.digits, measure.scale)}, ${seeds}, ${pShown(within.holm ?? within.p, compared)}`;
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
  const { with: other } = comparison;
  const { measure } = compared;
  const found = comparison[measure.kind];
  const { claim, ranked, n, mean, wilcoxon } = found;
  const seeds = counted(ranked, "paired seed");
  const how = `exact signed-rank test over ${seeds}`;
  const howOften = divergence(comparison, compared) ?? "";
  const diverged = `${howOften} Diverged runs ranked as the worst, it`;
  const survivors = mean === null ? "" : ` ${ofSurvivors(n, shownBy(mean, measure))}`;
  if (!canClaim(found)) {
    const few = ranked === 1 ? "is" : "are";
    return `${howOften} ${seeds} ${few} too few to rank its ${measure.names} against those of ${other}, diverged runs as the worst: nothing is claimed of them.${survivors}`;
  }
  if (claim === null || claim.holm === null) {
    const leans = (wilcoxon?.direction ?? 0) === 0 ? "neither above nor below" : direction(wilcoxon?.direction ?? 0);
    return `${diverged} ranks ${leans} ${other} in ${measure.name} (${how}, not planned): exploratory, so nothing is claimed.${survivors}`;
  }
  const { difference } = verdictOn(found, measure);
  const shown = `${how}, ${pShown(claim.holm, compared)}`;
  return difference === null
    ? `${diverged} cannot be told apart from ${other} in ${measure.name} (${shown}).${survivors}`
    : `${diverged} ranks ${direction((difference === "better") === measure.higherIsBetter ? 1 : -1)} ${other} in ${measure.name} (${shown}): ${difference}.${survivors}`;
}

const ofSurvivors = (n: number, mean: string): string =>
  `${n === 1 ? `The one pair without one differs by ${mean}` : `The ${n} pairs without one differ by ${mean} in the mean`}, which says nothing of the arm as a whole.`;

const direction = (sign: number): string => (sign < 0 ? "below" : "above");

/** Where differences have no spread to test, or too few seeds have one. */
function withoutTest({ n, lack }: Difference, mean: number, other: string, measure: ShownMeasure): string {
  const far = distance(mean, other, measure);
  if (lack === "one pair") return `${far} on the one seed that both finished, which shows nothing about other seeds.`;
  if (lack === "two pairs")
    return `${far} in the mean of two paired seeds, too few for an interval or a test: nothing is claimed.`;
  if (isNothing(mean, measure)) return `has the ${measure.name} of ${other} in each of ${counted(n, "paired seed")}.`;
  return `${far} in each of ${counted(n, "paired seed")} alike: without spread there is no test, so nothing is claimed.`;
}

const isNothing = (mean: number, { scale, digits }: ShownMeasure): boolean =>
  Number((scale * mean).toFixed(digits)) === 0;

function distance(mean: number, other: string, measure: ShownMeasure): string {
  if (isNothing(mean, measure)) return `differs from ${other} by ${marginShown(0, measure)} of ${measure.name}`;
  return `is ${marginShown(Math.abs(mean), measure)} ${direction(mean)} ${other} in ${measure.name}`;
}

/** Where accuracies are the same, what the losses are. */
function lossSentence({ accuracy, means: { loss } }: Sayable, { measure }: Compared): string | undefined {
  const { lack, mean } = accuracy;
  const isSame = measure.kind === "accuracy" && lack === "equal differences" && mean !== null;
  if (!isSame || !isNothing(mean, measure) || loss.arm === null || loss.with === null || loss.arm === loss.with)
    return undefined;
  return `Its mean test loss is ${lossText(loss.arm)} against ${lossText(loss.with)}, which is descriptive.`;
}

/** How often both diverge, where no pair of them says so already. */
function divergenceSentence(comparison: Sayable, compared: Compared): string | undefined {
  const text =
    comparison[compared.measure.kind].lack === "diverged runs" ? undefined : divergence(comparison, compared);
  return text && `It ${text}`;
}

function divergence(comparison: Sayable, compared: Compared): string | undefined {
  const { with: other } = comparison;
  const found = comparison[compared.measure.kind];
  if (found.divergence === null) return undefined;
  const { arm, armRuns, baseline, baselineRuns, p, holm } = found.divergence;
  const counts = `diverged in ${arm} of ${counted(armRuns, "run")}, ${other} in ${baseline} of ${baselineRuns}`;
  if (!canShowDivergence(found.divergence)) return `${counts}, too few runs for a test of how often.`;
  const shown = holm === null ? `${pEquals(p)}, not planned` : pShown(holm, compared);
  const verdict = divergenceVerdict(found);
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
  const areEpochsAlike = areOneSize([compared.arm, compared.other]);
  return own === null || theirs === null || cost === null
    ? undefined
    : costSentence(other, { own, theirs }, { differences: cost, areEpochsAlike });
}

/** Whether all epochs of these arms trained on as many samples, and scored as many. */
function areOneSize(arms: readonly ArmMeasures[]): boolean {
  const isOne = (key: "epochSamples" | "epochScored") =>
    new Set(arms.flatMap(({ [key]: of }) => (of ? [of.least, of.most] : []))).size < 2;
  return isOne("epochSamples") && isOne("epochScored");
}
