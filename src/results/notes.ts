/** What a reader must know of the findings as a whole, in words. */
import type { Comparison, MeasureKind, Target } from "../record/findings-document.js";
import { fromRecorded } from "../record/number.js";
import type { Difference, ValuesBySeed } from "../record/statistics-document.js";
import { collapseText } from "./collapse.js";
import { equalWeightsNote } from "./equal-weights.js";
import type { ArmMeasures, Measures, Pair } from "./measures.js";
import { counted, PERCENT } from "./number-text.js";
import { equalOrderNotes, mixtureNotes, orderNotes } from "./order-notes.js";
import type { TimedRun } from "./recorded-experiment.js";
import { ALPHA, LEAST_PAIRS, runsForFisher, seedsForWilcoxon, tooFewSeeds } from "./seeds-needed.js";
import { MEASURES, otherThan, type ShownMeasure } from "./shown-measure.js";
import { sideBySideNote } from "./side-by-side.js";
import { BCA_WARNING, LEAST_PAIRS_FOR_BCA } from "./statistics.js";
import { unequalWorkNote } from "./unequal-work.js";
import { unfinishedNotes } from "./unfinished.js";
import { canClaim, canShowDivergence, verdictOn } from "./verdict.js";

export function notesOn(measures: Measures, comparisons: readonly Comparison[], runs: readonly TimedRun[]): string[] {
  const notes = [
    ...unfinishedNotes(measures),
    ...measures.conditions,
    ...claimNotes(measures, comparisons),
    ...measures.arms.flatMap(collapseNotes),
    allRight(measures),
    unequalWorkNote(measures),
    ...orderNotes(runs),
    ...equalOrderNotes(runs),
    ...mixtureNotes(runs),
    equalWeightsNote(runs),
    ...measures.pairs.map(missingPairs),
    ...targetNotes(measures, runs),
    showsSeconds(measures) ? sideBySideNote(runs) : undefined,
  ];
  return notes.filter((note) => note !== undefined);
}

/** Tests over which Holm's correction is: of the primary measure, and of divergence where a run diverged. */
export const testsThatClaim = (planned: readonly Difference[]): number =>
  planned.length + planned.filter(({ divergence }) => divergence !== null).length;

function claimNotes({ baseline, primary, arms }: Measures, comparisons: readonly Comparison[]): (string | undefined)[] {
  if (arms.length < 2) return [];
  if (comparisons.length === 0) return [baseline === undefined ? NO_BASELINE : undefined];
  const all = comparisons.map((one) => one[primary]);
  const pairs = Math.max(...all.map(({ ranked }) => ranked));
  if (pairs < 2) return [pairs === 0 ? undefined : ONE_SEED];
  const planned = comparisons.filter((one) => one.planned).map((one) => one[primary]);
  const tooFew = tooFewSeeds(pairs, testsThatClaim(planned));
  if (pairs < LEAST_PAIRS) return [tooFew];
  const isEquivalenceTested = planned.some(({ equivalence }) => equivalence !== null);
  return [
    whatCarriesTheClaim(planned, comparisons.length - planned.length, primary),
    ...(all.some(({ divergence }) => divergence !== null) ? divergenceNotes(all) : [tooFew]),
    isEquivalenceTested ? `${EQUIVALENCE}${primary === "loss" ? OF_LOSS : ""}` : undefined,
    intervalNote(
      comparisons.flatMap((one) => [one.accuracy, one[primary]]),
      planned.length,
    ),
    pairs < LEAST_PAIRS_FOR_BCA ? undefined : upperFirst(BCA_WARNING),
    withoutSpread(comparisons, primary),
    marginNote(comparisons, MEASURES[primary]),
  ];
}

/** Why a verdict is "no test" where no run diverged. */
function withoutSpread(comparisons: readonly Comparison[], primary: MeasureKind): string | undefined {
  const alike = comparisons.filter((one) => one[primary].lack === "equal differences").map(({ name }) => name);
  if (alike.length === 0) return undefined;
  const isOne = alike.length === 1;
  return `${alike.join(", ")}: the difference is the same with every seed, so ${isOne ? "it has" : "they have"} no spread, and there is no test`;
}

/** Which measures and tests carry the claim, over what; and that the rest claims nothing. */
function whatCarriesTheClaim(planned: readonly Difference[], exploratory: number, primary: MeasureKind): string {
  const descriptive = `${otherThan(primary).name} is descriptive`;
  if (planned.length === 0)
    return `No comparison was planned: all are exploratory, their p is not corrected and claims nothing; ${descriptive}`;
  const claim = planned.some(({ divergence }) => divergence !== null)
    ? claimWithDivergence(planned, MEASURES[primary])
    : claimOf(MEASURES[primary], planned.length);
  const others = exploratory === 1 ? "; the other one is" : `; the other ${exploratory} are`;
  return `${claim}${exploratory === 0 ? "" : `${others} exploratory: no correction, no claim`}; ${descriptive}`;
}

const claimOf = ({ name }: ShownMeasure, planned: number): string =>
  planned === 1
    ? `The claim rests on ${name} alone: the paired t test of the one planned comparison`
    : `Claims rest on ${name} alone: the paired t test with Holm's correction over the ${planned} planned comparisons`;

function claimWithDivergence(planned: readonly Difference[], { name }: ShownMeasure): string {
  const able = planned.filter(canClaim);
  const count = (test: "t" | "signed rank") => able.filter(({ claim }) => claim?.test === test).length;
  const howOften = planned.filter(({ divergence }) => divergence !== null && canShowDivergence(divergence)).length;
  const tests = [counted(count("t"), "paired t test"), counted(count("signed rank"), "exact signed-rank test")];
  const measures = [
    ...(able.length === 0 ? [] : [`${name} (${tests.filter(isSome).join(", ")})`]),
    ...(howOften === 0 ? [] : [`how often runs diverge (${counted(howOften, "exact test")} of Fisher's)`]),
  ];
  return measures.length === 0
    ? "Nothing is claimed: no test of a planned comparison could show anything"
    : `Claims rest on ${measures.join(" and ")}, with Holm's correction over ${testsThatClaim(planned)} tests`;
}

const isSome = (count: string): boolean => !count.startsWith("0 ");

/** What became of pairs in which runs diverged, and of tests that could show nothing there. */
function divergenceNotes(all: readonly Difference[]): (string | undefined)[] {
  const ranked = all.filter(({ lack }) => lack === "diverged runs");
  const fewRuns = all.some(({ divergence }) => divergence !== null && !canShowDivergence(divergence));
  return [
    ranked.length > 0 ? DIVERGED : undefined,
    ranked.every(canClaim) ? undefined : FEW_RANKS,
    fewRuns ? FEW_RUNS : undefined,
  ];
}

const FEW_RANKS = `With fewer than ${seedsForWilcoxon(1)} paired seeds the exact signed-rank test cannot show p < ${ALPHA}, so its p is left out`;
const FEW_RUNS = `With so few runs Fisher's exact test of how often they diverge cannot show p < ${ALPHA}, so its p is left out; ${runsForFisher()} of each arm are enough`;
const DIVERGED =
  "A run that diverged counts as worse than any other: where a pair has one, the exact signed-rank test stands for the " +
  "t test, and neither mean nor interval is shown, which would be of survivors alone";
const EQUIVALENCE =
  "Equivalent: the mean difference is shown to lie within ±equivalenceMargin by two one-sided t tests, corrected over " +
  "the planned comparisons by themselves";
const OF_LOSS = "; the margin is in the loss's own unit, nats of cross-entropy";

function intervalNote(differences: readonly Difference[], planned: number): string | undefined {
  if (differences.every(({ interval }) => interval === null)) return undefined;
  const cut = differences.some(({ isCut }) => isCut) ? ", cut off at ±100 points where it says so" : "";
  const alone = planned > 1 ? ", each of its comparison alone: Holm's correction is of p, not of intervals" : "";
  return `Intervals are Student's t: of a mean accuracy on the logit scale and of a mean loss on the log scale, which keeps them within what is possible; of a difference as it is${cut}${alone}`;
}

/** Where comparisons are undecided and no margin was named: what these data could have shown. */
function marginNote(comparisons: readonly Comparison[], measure: ShownMeasure): string | undefined {
  const { kind, scale, digits, unit } = measure;
  const shown = comparisons.flatMap(({ name, planned, [kind]: found }) => {
    const isUndecided = planned && found.claim !== null && verdictOn(found, measure).difference === null;
    const margin = found.smallestMargin ?? null;
    return isUndecided && margin !== null ? [`±${(scale * margin).toFixed(digits)}${unit} of ${name}`] : [];
  });
  if (shown.length === 0) return undefined;
  return `No equivalenceMargin was named before the runs, so nothing is called equivalent: what cannot be told apart may differ. The smallest margins that two one-sided t tests would have shown here: ${shown.join(", ")}`;
}

const collapseNotes = ({ arm, collapse, accuracy }: ArmMeasures): string[] =>
  collapse === undefined ? [] : [`${arm} ${collapseText(collapse, meanOf(accuracy))}`];

/** Where every run of every arm is right throughout, which leaves the losses. */
function allRight({ primary, arms }: Measures): string | undefined {
  const done = arms.flatMap(({ accuracy }) => Object.values(accuracy).filter((one) => one !== null));
  if (arms.length < 2 || done.length === 0 || done.some((accuracy) => accuracy !== 1)) return undefined;
  const losses = arms
    .flatMap(({ arm, loss }) => {
      const mean = meanOf(loss);
      return mean === null ? [] : [{ arm, mean }];
    })
    .sort((a, b) => a.mean - b.mean);
  const [least, most] = [losses.at(0), losses.at(-1)];
  if (least === undefined || most === undefined) return undefined;
  const fold = least.mean > 0 ? `, ${(most.mean / least.mean).toFixed(1)}-fold` : "";
  return `Every run is right on all test samples, so accuracy tells nothing apart; mean test losses go from ${least.mean.toPrecision(3)} (${least.arm}) to ${most.mean.toPrecision(3)} (${most.arm})${fold}${primary === "loss" ? "" : ", which is descriptive"}`;
}

/** Seeds in which one of the two has no outcome, and why. */
function missingPairs({ name, arm, with: other }: Pair): string | undefined {
  const seedsByReason = new Map<string, number[]>();
  for (const seed of arm.states.keys()) {
    const why = [arm, other].flatMap((one) => lackOf(one, seed)).join(", ");
    if (why !== "") seedsByReason.set(why, [...(seedsByReason.get(why) ?? []), seed]);
  }
  if (seedsByReason.size === 0) return undefined;
  const told = [...seedsByReason].map(
    ([why, seeds]) => `seed${seeds.length === 1 ? "" : "s"} ${seeds.join(", ")} (${why})`,
  );
  return `${name} has no pair of ${told.join(", ")}`;
}

function lackOf({ arm, states }: ArmMeasures, seed: number): string[] {
  const state = states.get(seed);
  if (state === "done" || state === "diverged") return [];
  return [`${arm} ${state === undefined ? "is not on record" : state === "failed" ? "failed" : `is ${state}`}`];
}

function meanOf(values: ValuesBySeed): number | null {
  const there = Object.values(values).flatMap((value) => (value === null ? [] : [fromRecorded(value)]));
  return there.length === 0 ? null : there.reduce((total, one) => total + one, 0) / there.length;
}

const NO_BASELINE = "No arm is the baseline, so none is compared with it: name one in the config (baseline: …)";
const ONE_SEED =
  "One seed in common says nothing about others: differences between arms have no interval and claim nothing";

function targetNotes({ target, baseline, arms }: Measures, runs: readonly TimedRun[]): (string | undefined)[] {
  if (target === null) return [];
  const costs = arms.flatMap(({ cost }) => cost ?? []);
  if (costs.every(({ reached }) => reached === 0)) return [];
  const isSparse = runs.some(({ metrics }) => metrics.some(({ test }) => test === undefined));
  const hasMedian = costs.some(({ notReached, spread }) => notReached > 0 && (spread.epochs?.median ?? null) !== null);
  return [
    `Costs are up to the end of the first epoch with ${describeTarget(target, baseline)}; a later epoch may be below it again`,
    isSparse
      ? "Not every epoch was evaluated: a cost may be too high by the epochs between two evaluations"
      : undefined,
    hasMedian
      ? "Where runs never reach the target, the median stands for the mean: they count as dearer than any"
      : undefined,
  ];
}

/** Those of costs to the target, and of what subsets save. */
const showsSeconds = ({ target, arms }: Measures): boolean =>
  arms.some(({ cost, saving }) => (target !== null && (cost?.reached ?? 0) > 0) || saving !== undefined);

export function describeTarget({ accuracy, from }: Target, baseline: string | undefined): string {
  const share = `${(PERCENT * accuracy).toFixed(2)} % test accuracy`;
  return from === "config" ? `${share} (targetAccuracy)` : `${share}, the mean that ${baseline} ends with`;
}

const upperFirst = (text: string): string => text[0].toUpperCase() + text.slice(1);
