/** The findings from the measures and the answer of the statistics. */
import type { ArmFindings, Best, Comparison, Findings } from "../record/findings-document.js";
import { fromRecorded } from "../record/number.js";
import type { Description, Difference, Sample, Statistics } from "../record/statistics-document.js";
import type { TuningDocument } from "../record/tuning-record.js";
import { batchNormAlarms } from "./batch-norm-alarm.js";
import { collapseText, isWhole } from "./collapse.js";
import { byCostKind } from "./cost-to-reach.js";
import { noiseDrawnBy } from "./label-noise.js";
import {
  type ArmMeasures,
  CONFIDENCE,
  type ComparedCost,
  type DifferenceKind,
  type Measures,
  nameOf,
  type Pair,
  type SampleKind,
  samplesOf,
} from "./measures.js";
import { notesOn, testsThatClaim } from "./notes.js";
import { averagedWeightsOf, withinLastEpochOf } from "./recency.js";
import type { TimedRun } from "./recorded-experiment.js";
import { sentenceOn } from "./sentences.js";
import { MEASURES } from "./shown-measure.js";
import { spread } from "./summary.js";
import { tuningNotes } from "./tuning-table.js";

/** `answer`: of the statistics to `requestOf(measures)`; a text says why there is none. `tuning`: where there was one. */
export function makeFindings(
  measures: Measures,
  answer: Statistics | string,
  runs: readonly TimedRun[],
  tuning?: TuningDocument,
): Findings {
  const { baseline, primary, target, arms, pairs } = measures;
  const descriptions = byName(
    typeof answer === "string" ? arms.flatMap(samplesOf).map(describePlainly) : answer.samples,
  );
  const differences = byName(typeof answer === "string" ? [] : answer.comparisons);
  const comparisons =
    typeof answer === "string" ? [] : pairs.map((pair) => compare(pair, descriptions, differences, measures));
  const byArm = arms.map(({ arm }) => ({ arm, runs: runs.filter((run) => run.arm === arm) }));
  const inArms = arms.map((arm, at) => {
    const labelNoise = noiseDrawnBy(byArm[at].runs);
    const withinLastEpoch = withinLastEpochOf(byArm[at].runs);
    const averagedWeights = averagedWeightsOf(byArm[at].runs);
    return {
      ...armFindings(arm, descriptions, comparisons, baseline),
      ...(labelNoise && { labelNoise }),
      ...(withinLastEpoch && { withinLastEpoch }),
      ...(averagedWeights && { averagedWeights }),
    };
  });
  return {
    baseline,
    confidence: typeof answer === "string" ? CONFIDENCE : answer.confidence,
    primary,
    target,
    arms: inArms,
    comparisons,
    notes: [...tuningNotes(tuning, runs, comparisons), ...notesOn(measures, comparisons, runs)],
    ...(tuning && { tuning }),
    alarms: batchNormAlarms(byArm),
    ...(typeof answer === "string" && { lack: answer }),
  };
}

type Named<T> = (armOrPair: string, kind: SampleKind | DifferenceKind) => T;

function byName<T extends { readonly name: string }>(all: readonly T[]): Named<T> {
  const found = new Map(all.map((one) => [one.name, one]));
  return (armOrPair, kind) => {
    const one = found.get(nameOf(armOrPair, kind));
    if (one === undefined) throw new Error(`the statistics have nothing on ${nameOf(armOrPair, kind)}`);
    return one;
  };
}

function armFindings(
  { arm, validation, cost, collapse, saving }: ArmMeasures,
  descriptions: Named<Description>,
  comparisons: readonly Comparison[],
  baseline: string | undefined,
): ArmFindings {
  const comparison = comparisons.find((one) => one.arm === arm && one.with === baseline);
  const best: Best | undefined = validation && {
    epochs: descriptions(arm, "best epoch"),
    accuracy: descriptions(arm, "accuracy at best epoch"),
  };
  const accuracy = descriptions(arm, "accuracy");
  return {
    arm,
    accuracy,
    ...(collapse && { collapsed: collapseText(collapse, accuracy.mean) }),
    loss: descriptions(arm, "loss"),
    ...(best && { validation: best }),
    ...(comparison && { comparison, sentence: comparison.sentence }),
    cost,
    meanCost: cost === null || cost.notReached > 0 ? null : byCostKind((kind) => descriptions(arm, kind)),
    saving: saving ?? null,
  };
}

function compare(
  { name, arm, with: other, planned }: Pair,
  descriptions: Named<Description>,
  differences: Named<Difference>,
  { primary, target, pairs }: Measures,
): Comparison {
  const hasNoEffect = isWhole(arm.collapse) || isWhole(other.collapse);
  const difference = (kind: "accuracy" | "loss"): Difference => ({
    ...differences(name, kind),
    ...(hasNoEffect && { effect: null, effectCorrected: null }),
  });
  const means = (kind: "accuracy" | "loss") => ({
    arm: descriptions(arm.arm, kind).mean,
    with: descriptions(other.arm, kind).mean,
  });
  const found = {
    arm: arm.arm,
    with: other.arm,
    name,
    planned,
    accuracy: difference("accuracy"),
    loss: difference("loss"),
    means: { accuracy: means("accuracy"), loss: means("loss") },
    cost: target === null ? null : costDifferences((kind) => differences(name, kind)),
  };
  const tests = testsThatClaim(pairs.filter((pair) => pair.planned).map((pair) => differences(pair.name, primary)));
  const compared = { arm, other, measure: MEASURES[primary], isCorrected: tests > 1 };
  return { ...found, sentence: sentenceOn(found, compared) };
}

const costDifferences = (of: (kind: ComparedCost) => Difference): NonNullable<Comparison["cost"]> => ({
  epochs: of("epochs"),
  samples: of("samples"),
  scored: of("scored"),
  forwardEquivalents: of("forwardEquivalents"),
  "seconds.total": of("seconds.total"),
});

/** Mean and spread, which need no scipy. */
function describePlainly({ name, values }: Sample): Description {
  const all = Object.entries(values).map(([seed, value]) => ({
    seed: Number(seed),
    value: value === null ? Number.NaN : fromRecorded(value),
  }));
  const there = all.flatMap(({ value }) => (Number.isFinite(value) ? [value] : []));
  const missing = all.filter(({ value }) => !Number.isFinite(value)).map(({ seed }) => seed);
  const { mean = null, sd = null } = spread(there) ?? {};
  return {
    name,
    n: there.length,
    missing,
    mean: mean === null ? null : fromRecorded(mean),
    sd: sd === null ? null : fromRecorded(sd),
    interval: null,
  };
}
