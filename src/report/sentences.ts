/** A comparison as a person would say it, with its uncertainty; each begins after the arm's name. */
import type { ArmCost } from "./cost.js";
import type { Comparison } from "./findings.js";
import type { ArmMeasures } from "./measures.js";
import { counted, PERCENT, pEquals, signed, signedRange } from "./number-text.js";
import type { Difference } from "./statistics.js";

/** Below it a planned comparison claims something. */
export const ALPHA = 0.05;

interface Compared {
  readonly arm: ArmMeasures;
  readonly other: ArmMeasures;
  /** Number of planned comparisons, over which p is corrected. */
  readonly planned: number;
}

export function sentenceOn(comparison: Omit<Comparison, "sentence">, compared: Compared): string {
  const parts = [accuracySentence(comparison, compared), left(compared.arm), costSentence(comparison, compared)];
  return parts.filter((part) => part !== undefined).join(" ");
}

const points = (value: number): string => signed(PERCENT * value, 2);

function accuracySentence({ accuracy, planned: isPlanned, with: other }: Sayable, { planned }: Compared): string {
  const { n, mean, interval, t } = accuracy;
  if (mean === null) return `cannot be compared with ${other}: no seed was finished in both.`;
  if (t === null || interval === null) return withoutTest(accuracy, mean, other);
  const fits = signedRange(interval, 2, PERCENT);
  const seeds = counted(n, "paired seed");
  if (!isPlanned) {
    return `${distance(mean, other)} (95 % interval ${fits}, ${seeds}, not planned): exploratory, so nothing is claimed.`;
  }
  const p = accuracy.tHolm ?? t.p;
  const shown = `${pEquals(p)}${planned === 1 ? "" : " after Holm"}`;
  if (p < ALPHA) {
    return `${distance(mean, other)} (95 % interval ${fits}, ${seeds}, ${shown}): ${mean < 0 ? "worse" : "better"}.`;
  }
  const difference = `the difference is ${points(mean)} points`;
  if (interval.low <= 0 && interval.high >= 0) {
    return `cannot be told apart from ${other}: ${difference}, and anything from ${fits} fits the ${seeds} (${shown}).`;
  }
  return `cannot be told apart from ${other} after Holm's correction: ${difference} (95 % interval of this comparison alone ${fits}, ${seeds}, ${shown}).`;
}

type Sayable = Omit<Comparison, "sentence">;

/** Where differences have no spread to test. */
function withoutTest({ n, lack }: Difference, mean: number, other: string): string {
  if (lack === "one pair")
    return `${distance(mean, other)} on the one seed that both finished, which shows nothing about other seeds.`;
  if (isNothing(mean)) return `has the test accuracy of ${other} in each of ${counted(n, "paired seed")}.`;
  return `${distance(mean, other)} in each of ${counted(n, "paired seed")} alike: without spread there is no test, so nothing is claimed.`;
}

const isNothing = (mean: number): boolean => Number((PERCENT * mean).toFixed(2)) === 0;

function distance(mean: number, other: string): string {
  const than = `${other} in test accuracy`;
  if (isNothing(mean)) return `is level with ${than}`;
  return `is ${(PERCENT * Math.abs(mean)).toFixed(2)} points ${mean < 0 ? "below" : "above"} ${than}`;
}

/** Runs that these numbers leave out, and why. */
function left({ states }: ArmMeasures): string | undefined {
  const count = (state: string) => states.filter((one) => one === state).length;
  const parts = ["diverged", "failed"].flatMap((state) => (count(state) === 0 ? [] : [`${count(state)} ${state}`]));
  if (parts.length === 0) return undefined;
  return `Of its ${counted(states.length, "run")} ${parts.join(" and ")}, which these numbers leave out.`;
}

// --- What reaching the target costs

function costSentence({ cost, with: other }: Sayable, { arm, other: measured }: Compared): string | undefined {
  const [own, theirs] = [arm.cost, measured.cost];
  if (own === null || theirs === null || cost === null || own.runs.length === 0) return undefined;
  const target = `${(PERCENT * own.target).toFixed(2)} %`;
  if (own.reached === 0)
    return own.notReached === 0 ? undefined : `It never reaches ${target}${ofThem(theirs, other)}.`;
  const bothAll = own.notReached + theirs.notReached === 0 && theirs.reached > 0;
  return bothAll
    ? `It reaches ${target} ${inTheMean(cost.epochs, own, theirs, other)}.`
    : `It reaches ${target} ${inTheMedian(own, theirs, other)}.`;
}

/** Every run reached it: means, and what their difference may be. */
function inTheMean({ mean, interval }: Difference, own: ArmCost, theirs: ArmCost, other: string): string {
  const [first, second] = [own, theirs].map((cost) => meanEpochs(cost).toFixed(1));
  if (first === second) return `after ${first} epochs, as ${other} does`;
  const uncertain =
    mean === null || interval === null
      ? ""
      : ` (difference ${signed(mean, 1)}, 95 % interval ${signedRange(interval, 1)})`;
  return `after ${first} epochs instead of ${second}${uncertain}`;
}

const meanEpochs = ({ runs }: ArmCost): number => {
  const epochs = runs.flatMap(({ cost }) => (cost === null ? [] : [cost.epochs]));
  return epochs.reduce((sum, one) => sum + one, 0) / epochs.length;
};

/** Some never did, and count as dearer than any: medians. */
function inTheMedian(own: ArmCost, theirs: ArmCost, other: string): string {
  const median = own.spread.epochs?.median ?? null;
  const ended = own.reached + own.notReached;
  if (median === null) return `in only ${own.reached} of ${counted(ended, "run")}${ofThem(theirs, other)}`;
  const against = theirs.spread.epochs?.median ?? null;
  const instead = against === null ? "" : against === median ? `, as ${other} does` : ` instead of ${against}`;
  const never = own.notReached === 0 ? "" : `; ${own.notReached} of ${counted(ended, "run")} never`;
  return `after ${median} epochs in the median${instead}${never}${ofThem(theirs, other)}`;
}

/** How often the other arm does not. */
function ofThem({ reached, notReached }: ArmCost, other: string): string {
  return notReached === 0 ? "" : `; ${other} does not in ${notReached} of ${counted(reached + notReached, "run")}`;
}
