/** What reaching the target costs an arm, beside another one, in words. */
import type { ArmCost, Comparison } from "../record/findings-document.js";
import { amountOf } from "./cost-to-reach.js";
import { counted, PERCENT } from "./number-text.js";

interface Costs {
  readonly own: ArmCost;
  readonly theirs: ArmCost;
}

/** What a cost is told in. */
interface Unit {
  readonly kind: "epochs" | "samples" | "forwardEquivalents";
  readonly one: string;
  readonly many: string;
  /** Of a mean, or of a difference without its sign. */
  text(mean: number): string;
}

const EPOCHS: Unit = { kind: "epochs", one: "epoch", many: "epochs", text: (mean) => mean.toFixed(1) };
/** Where an epoch of the one is not as many samples as an epoch of the other. */
const SAMPLES: Unit = {
  kind: "samples",
  one: "sample trained on",
  many: "samples trained on",
  text: (mean) => Math.round(mean).toLocaleString("en-US"),
};
/** Likewise, where either scored anything: that is paid for, too. */
const PASSES: Unit = { ...SAMPLES, kind: "forwardEquivalents", one: "forward-equivalent", many: "forward-equivalents" };

interface Told {
  /** Of what it costs to reach the target, paired by seed; null without statistics. */
  readonly differences: Comparison["cost"];
  /** Whether every epoch of both is of as many samples, trained on and scored. */
  readonly areEpochsAlike: boolean;
}

export function costSentence(
  other: string,
  { own, theirs }: Costs,
  { differences, areEpochsAlike }: Told,
): string | undefined {
  const hasScored = [own, theirs].some(({ spread }) => (spread.scored?.largest ?? 0) > 0);
  const unit = areEpochsAlike ? EPOCHS : hasScored ? PASSES : SAMPLES;
  if (own.runs.length === 0) return undefined;
  const target = `${(PERCENT * own.target).toFixed(2)} %`;
  if (own.reached === 0)
    return own.notReached === 0 ? undefined : `It never reaches ${target}${norDoes(theirs, other)}.`;
  const bothAll = own.notReached + theirs.notReached === 0 && theirs.reached > 0;
  return bothAll
    ? `It reaches ${target} ${inTheMean(differences, { own, theirs }, other, unit)}.`
    : `It reaches ${target} ${inTheMedian({ own, theirs }, other, unit)}.`;
}

/** Every run reached it: means, and what their difference may be. */
function inTheMean(differences: Told["differences"], { own, theirs }: Costs, other: string, unit: Unit): string {
  const [first, second] = [own, theirs].map((cost) => unit.text(meanOf(cost, unit)));
  if (first === second) return `after ${amount(first, unit)}, as ${other} does`;
  const { mean = null, interval = null } = differences?.[unit.kind] ?? {};
  const [apart, low, high] = [mean, interval?.low, interval?.high].map((value) => difference(value ?? 0, unit));
  const uncertain = mean === null || interval === null ? "" : ` (difference ${apart}, 95 % interval ${low} to ${high})`;
  return `after ${amount(first, unit)} instead of ${second}${uncertain}`;
}

/** Some never did, and count as dearer than any: medians. */
function inTheMedian({ own, theirs }: Costs, other: string, unit: Unit): string {
  const median = own.spread[unit.kind]?.median ?? null;
  const ended = endedOf(own);
  if (median === null) return `in only ${own.reached} of ${counted(ended, "run")}${against(theirs, other)}`;
  const theirMedian = theirs.spread[unit.kind]?.median ?? null;
  const instead =
    theirMedian === null ? "" : theirMedian === median ? `, as ${other} does` : ` instead of ${plainly(theirMedian)}`;
  return `after ${amount(plainly(median), unit)} in the median${instead}${never(own, theirs, other)}`;
}

const plainly = (count: number): string => count.toLocaleString("en-US");

const amount = (count: string, { one, many }: Unit): string => (Number(count) === 1 ? `1 ${one}` : `${count} ${many}`);

const difference = (value: number, { text }: Unit): string => {
  const shown = text(Math.abs(value));
  return Number(shown) === 0 ? shown : `${value < 0 ? "−" : "+"}${shown}`;
};

const meanOf = ({ runs }: ArmCost, { kind }: Unit): number => {
  const all = runs.flatMap(({ cost }) => amountOf(cost, kind) ?? []);
  return all.reduce((sum, one) => sum + one, 0) / all.length;
};

/** How many runs of either never do. */
function never(own: ArmCost, theirs: ArmCost, other: string): string {
  const ofOwn = own.notReached === 0 ? "" : `never in ${own.notReached} of ${counted(endedOf(own), "run")}`;
  if (theirs.notReached === 0) return ofOwn === "" ? "" : `; ${ofOwn}`;
  const ofOther = `${theirs.notReached} of ${ofOwn === "" ? counted(endedOf(theirs), "run") : endedOf(theirs)}`;
  return ofOwn === "" ? `; ${other} never in ${ofOther}` : `; ${ofOwn}, ${other} in ${ofOther}`;
}

/** Whether the other arm ever does, where this one never does. */
function norDoes(theirs: ArmCost, other: string): string {
  if (theirs.notReached === 0) return "";
  if (theirs.reached === 0) return `, nor does ${other}`;
  return `, which ${other} reaches in ${theirs.reached} of ${counted(endedOf(theirs), "run")}`;
}

/** How often the other arm does, where this one seldom does. */
function against(theirs: ArmCost, other: string): string {
  if (theirs.notReached === 0) return "";
  return `, ${other} in ${theirs.reached} of ${endedOf(theirs)}`;
}

const endedOf = ({ reached, notReached }: ArmCost): number => reached + notReached;
