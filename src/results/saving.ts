/** What an arm's whole runs cost against the baseline's, pass by pass: pure functions over what runs recorded. */
import { type Declared, declaredBy } from "../orders/declared.js";
import { ORDERS } from "../orders/index.js";
import type { Cost, Ratio, Saving } from "../record/findings-document.js";
import { hashValue } from "../record/hash.js";
import { forwardEquivalents } from "../record/work.js";
import { costOf, type RecordedRun } from "./cost-to-reach.js";
import type { PlannedArm } from "./planned-experiment.js";

/** Undefined where no seed is done in both. */
export function savingOf(
  arm: { readonly runs: readonly RecordedRun[]; readonly planned: PlannedArm },
  baseline: { readonly runs: readonly RecordedRun[]; readonly planned: PlannedArm },
): Saving | undefined {
  const pairs = arm.runs.flatMap((run) => {
    const other = baseline.runs.find(({ seed }) => seed === run.seed);
    const areDone = run.state === "done" && other?.state === "done";
    return areDone ? [{ own: costOf(run), theirs: costOf(other) }] : [];
  });
  if (pairs.length === 0) return undefined;
  const ratios = (of: (cost: Cost) => number) => ratioOf(pairs.map(({ own, theirs }) => of(own) / of(theirs)));
  const areTimed = pairs.every(({ own, theirs }) => own.seconds !== null && theirs.seconds !== null);
  // Evaluations would draw the ratio towards 1, the more of them the more; no other column counts them either.
  const secondsOf = ({ seconds }: Cost) => (seconds === null ? Number.NaN : seconds.total - seconds.evaluating);
  return {
    pairs: pairs.length,
    promised: promised(arm.planned, baseline.planned),
    forward: ratios(({ samples, scored }) => samples + scored),
    backward: ratios(({ samples }) => samples),
    forwardEquivalents: ratios(forwardEquivalents),
    seconds: areTimed ? ratios(secondsOf) : null,
  };
}

const ratioOf = (ratios: readonly number[]): Ratio => ({
  mean: ratios.reduce((sum, one) => sum + one, 0) / ratios.length,
  smallest: Math.min(...ratios),
  largest: Math.max(...ratios),
});

/** null, too, where the two have not as many eligible samples by their configs: an epoch of all is then another number. */
function promised(arm: PlannedArm, baseline: PlannedArm): number | null {
  if (eligibleBy(arm) !== eligibleBy(baseline)) return null;
  const [own, theirs] = [arm, baseline].map(promisedEpochs);
  return own === null || theirs === null ? null : own / theirs;
}

/** What says how many samples are eligible: all of a dataset's section but which ones they are, and their labels. */
function eligibleBy({ dataset = {} }: PlannedArm): string {
  const { subsetSeed, labelNoise, ...others } = dataset;
  return hashValue(others);
}

/** Samples that an arm's runs train on, in eligible ones; null where its order does not say how many an epoch draws, or a budget rules. */
function promisedEpochs({ epochs, order }: PlannedArm): number | null {
  const share = declaredShare(order);
  if (share === null || epochs === undefined) return null;
  return order.shuffledLastEpoch ? (epochs - 1) * share + 1 : epochs * share;
}

/** Of a file or a replay nothing is known here. */
function declaredShare({ name, options = {}, file, replay }: PlannedArm["order"]): number | null {
  const definition = ORDERS.find((one) => one.name === name);
  if (definition === undefined || file !== undefined || replay !== undefined) return null;
  const { epochShare, coverage } = declaredBy(definition, options);
  const isSaid = definition.epochShare !== undefined || isWhole(coverage);
  return isSaid && Number.isFinite(epochShare) ? epochShare : null; // an old record may lack the option
}

const isWhole = (coverage: Declared["coverage"]): boolean => coverage === "each-once";
