/** What of an experiment's runs is described and compared: values by seed. Pure functions. */

import type { PlannedComparison } from "../config/planned-comparisons.js";
import {
  type ArmCost,
  COST_KINDS,
  type CostKind,
  type MeasureKind,
  type Saving,
  type Target,
} from "../record/findings-document.js";
import type { RunStatus } from "../record/run-document.js";
import type { Pairing, Sample, StatisticsRequest, ValuesBySeed } from "../record/statistics-document.js";
import { type BestEpochs, bestByValidation } from "./best-by-validation.js";
import { type Collapse, collapseOf } from "./collapse.js";
import { conditionsOf } from "./conditions.js";
import { costBySeed, costOfArm, finalAccuracy } from "./cost-to-reach.js";
import { largestOf, smallestOf } from "./extremes.js";
import type { PlannedExperiment } from "./planned-experiment.js";
import type { TimedRun } from "./recorded-experiment.js";
import { savingOf } from "./saving.js";

export const CONFIDENCE = 0.95;

export interface Measures {
  /** What is the same in every run, in words. */
  readonly conditions: readonly string[];
  readonly baseline: string | undefined;
  readonly primary: MeasureKind;
  readonly equivalenceMargin: number | null;
  readonly target: Target | null;
  readonly arms: readonly ArmMeasures[];
  readonly pairs: readonly Pair[];
}

export const LENGTH_KINDS = ["epochs", "updates", "samples", "forwardEquivalents"] as const;
export type LengthKind = (typeof LENGTH_KINDS)[number];

interface Range {
  readonly least: number;
  readonly most: number;
}

export interface ArmMeasures {
  readonly arm: string;
  /** How the run of each seed stands that was asked for; undefined where none is on record. */
  readonly states: ReadonlyMap<number, RunStatus | undefined>;
  readonly collapse: Collapse | undefined;
  /** Of its runs, as the config says it: so many of one kind. */
  readonly length: Readonly<Partial<Record<LengthKind, number | undefined>>>;
  /** Samples trained on in an epoch, least and most; null without an epoch. */
  readonly epochSamples: Range | null;
  /** Likewise, put through scoring passes. */
  readonly epochScored: Range | null;
  /** Of the last epoch; null for a run that is not done, or not on record. */
  readonly accuracy: ValuesBySeed;
  readonly loss: ValuesBySeed;
  readonly validation: BestEpochs | undefined;
  readonly cost: ArmCost | null;
  /** Against the baseline; undefined for that itself, and without a pair. */
  readonly saving: Saving | undefined;
}

/** `arm` minus `with`. */
export interface Pair {
  readonly name: string;
  readonly arm: ArmMeasures;
  readonly with: ArmMeasures;
  readonly planned: boolean;
}

export function measure(planned: PlannedExperiment, runs: readonly TimedRun[]): Measures {
  const runsOf = (arm: string | undefined) => runs.filter((run) => run.arm === arm);
  const target = chooseTarget(planned.targetAccuracy, runsOf(planned.baseline));
  const arms = Object.entries(planned.arms).map(([arm, { epochs, budget }]) => ({
    ...measureArm(arm, runsOf(arm), planned.seeds, target),
    length: budget ?? { epochs },
    collapse: collapseOf(runsOf(arm)),
    saving: savingAgainst(planned, arm, runsOf),
  }));
  const { baseline, primary, equivalenceMargin } = planned;
  const conditions = conditionsOf(planned);
  return {
    conditions,
    baseline,
    primary,
    equivalenceMargin,
    target,
    arms,
    pairs: pairUp(planned, arms),
  };
}

function savingAgainst(
  { arms, baseline }: PlannedExperiment,
  arm: string,
  runsOf: (arm: string) => readonly TimedRun[],
): Saving | undefined {
  if (baseline === undefined || arm === baseline || arms[baseline] === undefined) return undefined;
  const [own, theirs] = [arm, baseline].map((name) => ({ runs: runsOf(name), planned: arms[name] }));
  return savingOf(own, theirs);
}

function chooseTarget(configured: number | null, baseline: readonly TimedRun[]): Target | null {
  if (configured !== null) return { accuracy: configured, from: "config" };
  const accuracy = finalAccuracy(baseline);
  return accuracy === null ? null : { accuracy, from: "baseline" };
}

const rangeOf = (values: readonly number[]): Range | null =>
  values.length === 0 ? null : { least: smallestOf(values), most: largestOf(values) };

function measureArm(
  arm: string,
  runs: readonly TimedRun[],
  asked: readonly number[],
  target: Target | null,
): Omit<ArmMeasures, "collapse" | "length" | "saving"> {
  const seeds = [...new Set([...asked, ...runs.map(({ seed }) => seed)])];
  const all = seeds.map((seed) => ({ seed, run: runs.find((run) => run.seed === seed) }));
  const last = all.map(({ seed, run }) => ({
    seed,
    test: run?.state === "done" ? run.metrics.at(-1)?.test : undefined,
  }));
  const epochs = runs.flatMap(({ metrics }) => metrics);
  return {
    arm,
    states: new Map(all.map(({ seed, run }) => [seed, run?.state])),
    epochSamples: rangeOf(epochs.map(({ samples }) => samples)),
    epochScored: rangeOf(epochs.map(({ scored }) => scored)),
    accuracy: Object.fromEntries(last.map(({ seed, test }) => [seed, test?.accuracy ?? null])),
    loss: Object.fromEntries(last.map(({ seed, test }) => [seed, test?.loss ?? null])),
    validation: bestByValidation(runs),
    cost: target && costOfArm(runs, target.accuracy),
  };
}

/** Seeds whose run diverged. */
const divergedSeeds = ({ states }: ArmMeasures): number[] =>
  [...states].flatMap(([seed, state]) => (state === "diverged" ? [seed] : []));

/** Each arm with the baseline, then what was planned with another arm. */
function pairUp({ baseline, comparisons }: PlannedExperiment, arms: readonly ArmMeasures[]): Pair[] {
  const isPlanned = ({ arm, with: other }: PlannedComparison) =>
    comparisons.some((one) => one.arm === arm && one.with === other);
  const withBaseline = arms.flatMap(({ arm }) =>
    baseline === undefined || arm === baseline ? [] : [{ arm, with: baseline }],
  );
  const withOthers = comparisons.filter((one) => one.with !== baseline);
  const find = (name: string) => arms.find(({ arm }) => arm === name);
  return [...withBaseline, ...withOthers].flatMap((one) => {
    const [arm, other] = [find(one.arm), find(one.with)];
    if (arm === undefined || other === undefined) return [];
    return [{ name: `${one.arm} − ${one.with}`, arm, with: other, planned: isPlanned(one) }];
  });
}

// --- What the statistics are asked for

/** A value of an arm that is described. */
export type SampleKind = "accuracy" | "loss" | "best epoch" | "accuracy at best epoch" | CostKind;
export type DifferenceKind = "accuracy" | "loss" | ComparedCost;
const COMPARED_COSTS = ["epochs", "samples", "scored", "forwardEquivalents", "seconds.total"] as const;
export type ComparedCost = (typeof COMPARED_COSTS)[number];

export const nameOf = (armOrPair: string, kind: SampleKind | DifferenceKind): string => `${armOrPair}: ${kind}`;

/** The one request that all findings are made from. */
export const requestOf = ({ arms, pairs, ...claims }: Measures): StatisticsRequest => ({
  confidence: CONFIDENCE,
  samples: arms.flatMap(samplesOf),
  comparisons: pairs.flatMap((pair) => pairingsOf(pair, claims)),
});

export function samplesOf(measures: ArmMeasures): Sample[] {
  const { arm, accuracy, loss, validation, cost } = measures;
  const sample = (kind: SampleKind, values: ValuesBySeed, scale: NonNullable<Sample["scale"]>): Sample => ({
    name: nameOf(arm, kind),
    values,
    scale,
  });
  return [
    sample("accuracy", accuracy, "share"),
    sample("loss", loss, "positive"),
    ...(validation === undefined
      ? []
      : [
          sample("best epoch", validation.epochs, "positive"),
          sample("accuracy at best epoch", validation.accuracy, "share"),
        ]),
    ...(cost === null ? [] : COST_KINDS.map((kind) => sample(kind, costBySeed(cost, kind), "positive"))),
  ];
}

/** The primary measure claims something, of what was planned; the other one and costs are described, and never corrected. */
function pairingsOf(
  { name, arm, with: other, planned }: Pair,
  { primary, equivalenceMargin }: Pick<Measures, "primary" | "equivalenceMargin">,
): Pairing[] {
  const family = (kind: MeasureKind) => (planned && kind === primary ? FAMILY : null);
  const margin = (kind: MeasureKind) => (kind === primary ? { margin: equivalenceMargin } : {});
  const diverged = { armDiverged: divergedSeeds(arm), baselineDiverged: divergedSeeds(other) };
  const costs = arm.cost === null || other.cost === null ? null : { arm: arm.cost, baseline: other.cost };
  return [
    {
      name: nameOf(name, "accuracy"),
      arm: arm.accuracy,
      baseline: other.accuracy,
      family: family("accuracy"),
      ...diverged,
      largest: 1,
      ...margin("accuracy"),
    },
    {
      name: nameOf(name, "loss"),
      arm: arm.loss,
      baseline: other.loss,
      family: family("loss"),
      ...diverged,
      higherIsBetter: false,
      ...margin("loss"),
    },
    ...(costs === null
      ? []
      : COMPARED_COSTS.map((kind) => ({
          name: nameOf(name, kind),
          arm: costBySeed(costs.arm, kind),
          baseline: costBySeed(costs.baseline, kind),
          family: null,
        }))),
  ];
}

const FAMILY = "planned";
