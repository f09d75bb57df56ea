/** What reaching the target costs an arm, beside another one, in words. */
import type { ArmCost } from "../record/findings-document.js";
import type { Difference } from "../record/statistics-document.js";
import { counted, PERCENT, signed, signedRange } from "./number-text.js";

interface Costs {
  readonly own: ArmCost;
  readonly theirs: ArmCost;
}

/** `difference`: of epochs to the target, paired by seed; null without statistics. */
export function costSentence(other: string, { own, theirs }: Costs, difference: Difference | null): string | undefined {
  if (own.runs.length === 0) return undefined;
  const target = `${(PERCENT * own.target).toFixed(2)} %`;
  if (own.reached === 0)
    return own.notReached === 0 ? undefined : `It never reaches ${target}${norDoes(theirs, other)}.`;
  const bothAll = own.notReached + theirs.notReached === 0 && theirs.reached > 0;
  return bothAll
    ? `It reaches ${target} ${inTheMean(difference, own, theirs, other)}.`
    : `It reaches ${target} ${inTheMedian(own, theirs, other)}.`;
}

/** Every run reached it: means, and what their difference may be. */
function inTheMean(difference: Difference | null, own: ArmCost, theirs: ArmCost, other: string): string {
  const [first, second] = [own, theirs].map((cost) => meanEpochs(cost).toFixed(1));
  if (first === second) return `after ${epochs(first)}, as ${other} does`;
  const uncertain =
    difference === null || difference.mean === null || difference.interval === null
      ? ""
      : ` (difference ${signed(difference.mean, 1)}, 95 % interval ${signedRange(difference.interval, 1)})`;
  return `after ${epochs(first)} instead of ${second}${uncertain}`;
}

const epochs = (count: number | string): string => (Number(count) === 1 ? "1 epoch" : `${count} epochs`);

const meanEpochs = ({ runs }: ArmCost): number => {
  const epochs = runs.flatMap(({ cost }) => (cost === null ? [] : [cost.epochs]));
  return epochs.reduce((sum, one) => sum + one, 0) / epochs.length;
};

/** Some never did, and count as dearer than any: medians. */
function inTheMedian(own: ArmCost, theirs: ArmCost, other: string): string {
  const median = own.spread.epochs?.median ?? null;
  const ended = endedOf(own);
  if (median === null) return `in only ${own.reached} of ${counted(ended, "run")}${against(theirs, other)}`;
  const theirMedian = theirs.spread.epochs?.median ?? null;
  const instead =
    theirMedian === null ? "" : theirMedian === median ? `, as ${other} does` : ` instead of ${theirMedian}`;
  return `after ${epochs(median)} in the median${instead}${never(own, theirs, other)}`;
}

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
