/** What an experiment says, with how sure: the schema of the findings in `statistics.json`. */
import { z } from "zod";
import { MEASURE_KINDS } from "./measure-kinds.js";
import { runStatus } from "./run-document.js";
import { description, difference } from "./statistics-document.js";
import { tuningDocument } from "./tuning-record.js";

export type { MeasureKind } from "./measure-kinds.js";

// --- What it costs to reach a test accuracy

/** Where an epoch's seconds go: these add up to the total. */
export const PARTS_OF_SECONDS = ["training", "scoring", "evaluating", "wire", "waiting"] as const;
/** And those of making orders, which lie within the waiting, or pass while the backend evaluates. */
const SECONDS_KINDS = [...PARTS_OF_SECONDS, "ordering", "total"] as const;
export type SecondsKind = (typeof SECONDS_KINDS)[number];

export type CostKind = "epochs" | "samples" | "scored" | "forwardEquivalents" | `seconds.${SecondsKind}`;
export const COST_KINDS: readonly CostKind[] = [
  "epochs",
  "samples",
  "scored",
  "forwardEquivalents",
  ...SECONDS_KINDS.map((kind) => `seconds.${kind}` as const),
];

const seconds = z.record(z.enum(SECONDS_KINDS), z.number());
export type Seconds = Readonly<z.infer<typeof seconds>>;

const cost = z.strictObject({
  epochs: z.int(),
  /** Samples trained on, repeats counted. */
  samples: z.int(),
  /** Samples put through scoring passes. */
  scored: z.int(),
  /** null where not every one of these epochs has its line in `timings.jsonl`. */
  seconds: seconds.nullable(),
});
/** Of the first epochs of a run. */
export type Cost = Readonly<z.infer<typeof cost>>;

const runCost = z.strictObject({
  seed: z.int(),
  state: runStatus,
  /** Until the end of the first epoch whose test accuracy is the target or more; null: not reached. */
  cost: cost.nullable(),
  /** Highest test accuracy, to say how near a run came that did not reach it; null where none was measured. */
  best: z.number().nullable(),
});
export type RunCost = Readonly<z.infer<typeof runCost>>;

const costSpread = z.strictObject({
  /** Runs that it is over. */
  n: z.int(),
  smallest: z.number(),
  largest: z.number(),
  /** Over all runs that came to a result, one that did not reach it counted as dearer than any; null where that makes it unknown. */
  median: z.number().nullable(),
});
/** Over the runs that reached the target. */
export type CostSpread = Readonly<z.infer<typeof costSpread>>;

const costKind = z.enum(COST_KINDS);

const armCost = z.strictObject({
  /** Test accuracy, 0 … 1. */
  target: z.number(),
  /** Without those that failed. */
  runs: z.array(runCost).readonly(),
  reached: z.int(),
  /** Runs that came to a result (done, diverged) below the target. */
  notReached: z.int(),
  /** Runs that ended in an error: no result, whatever they had reached. */
  failed: z.int(),
  /** Runs that did not end yet, below the target so far: neither of the two. */
  unfinished: z.int(),
  spread: z.record(costKind, costSpread.nullable()),
});
export type ArmCost = Readonly<z.infer<typeof armCost>>;

// --- What whole runs cost

const ratio = z.strictObject({ mean: z.number(), smallest: z.number(), largest: z.number() });
/** Of an arm's cost to that of the baseline's run with the same seed, over seeds. */
export type Ratio = Readonly<z.infer<typeof ratio>>;

const saving = z.strictObject({
  /** Seeds with which both are done. */
  pairs: z.int(),
  /** Of samples trained on, as both orders declare their share of an epoch; null where one does not. */
  promised: z.number().nullable(),
  /** Samples trained on, and scored. */
  forward: ratio,
  /** Samples trained on. */
  backward: ratio,
  /** A backward pass as two forward ones. */
  forwardEquivalents: ratio,
  /** Without evaluation; null where not every epoch has its line in `timings.jsonl`. */
  seconds: ratio.nullable(),
});
/** Of whole runs against the baseline's: 1 is as much. */
export type Saving = Readonly<z.infer<typeof saving>>;

// --- Comparisons and arms

const target = z.strictObject({ accuracy: z.number(), from: z.enum(["config", "baseline"]) });
/** Test accuracy, 0 … 1, that costs are counted up to. */
export type Target = Readonly<z.infer<typeof target>>;

const means = z.strictObject({ arm: z.number().nullable(), with: z.number().nullable() });

const comparison = z.strictObject({
  arm: z.string(),
  with: z.string(),
  /** `arm − with`. */
  name: z.string(),
  /** In the config: Holm's correction is over these. The others are exploratory. */
  planned: z.boolean(),
  /** Of the last epoch. The experiment's primary measure claims something; the other one is descriptive. */
  accuracy: difference,
  loss: difference,
  /** Over the runs of each that are done. */
  means: z.strictObject({ accuracy: means, loss: means }),
  /** Of what reaching the target cost, over seeds that reached it in both; null without a target. Never corrected. */
  cost: z.record(z.enum(["epochs", "samples", "scored", "forwardEquivalents", "seconds.total"]), difference).nullable(),
  /** As a person would say it; begins after the arm's name. */
  sentence: z.string(),
});
/** `arm` minus `with`, seed by seed. */
export type Comparison = Readonly<z.infer<typeof comparison>>;

const best = z.strictObject({
  /** Epochs trained: 1 is the first one. */
  epochs: description,
  /** Test accuracy there, 0 … 1. */
  accuracy: description,
});
/** The epoch of the highest validation accuracy, the first among equals; the test set has no say. */
export type Best = Readonly<z.infer<typeof best>>;

const meanOverRuns = z.strictObject({ mean: z.number(), sd: z.number().nullable() });
export type MeanOverRuns = Readonly<z.infer<typeof meanOverRuns>>;

const noiseDrawn = z.strictObject({ share: meanOverRuns, drawn: meanOverRuns, mostDrawn: meanOverRuns });
/** As `LabelNoiseMetrics` has them, over the runs that are done. */
export type NoiseDrawn = Readonly<z.infer<typeof noiseDrawn>>;

const withinLastEpoch = z.strictObject({
  /** Mean of the evaluations before its end. */
  before: meanOverRuns,
  /** The end's, minus that. */
  rise: meanOverRuns,
  /** Highest minus lowest of all of them, the end's too. */
  range: meanOverRuns,
});
/** Test accuracy within the last epoch, 0 … 1, over the runs that are done. */
export type WithinLastEpoch = Readonly<z.infer<typeof withinLastEpoch>>;

const averagedWeights = z.strictObject({
  accuracy: meanOverRuns,
  /** Minus that of the last weights. Absent in records of before last weights were looked at under the same statistics of BatchNorm. */
  gain: meanOverRuns.optional(),
  loss: meanOverRuns,
});
/** Of the mean of the weights, on the test set after the last epoch, over the runs that are done. */
export type AveragedWeights = Readonly<z.infer<typeof averagedWeights>>;

const armFindings = z.strictObject({
  arm: z.string(),
  /** Last epoch's test accuracy over the runs that are done, 0 … 1. */
  accuracy: description,
  /** Last epoch's test loss over the runs that are done. */
  loss: description,
  /** Where runs answer one class whatever they see; begins after the arm's name. */
  collapsed: z.string().optional(),
  /** Where some labels are wrong on purpose. */
  labelNoise: noiseDrawn.optional(),
  /** Where it was evaluated before its end. */
  withinLastEpoch: withinLastEpoch.optional(),
  /** Where a mean of the weights was evaluated. */
  averagedWeights: averagedWeights.optional(),
  /** Where the config holds out a validation part. */
  validation: best.optional(),
  /** With the baseline; absent for the baseline itself, without a baseline, and without statistics. */
  comparison: comparison.optional(),
  /** To reach the target; null without a target. */
  cost: armCost.nullable(),
  /** Mean cost with its interval; null where a run ended below the target, for the others' mean is then too low. */
  meanCost: z.record(costKind, description).nullable(),
  /** Realised; null for the baseline itself, and without a pair. */
  saving: saving.nullable(),
  /** Against the baseline, as a person would say it; begins after the arm's name. */
  sentence: z.string().optional(),
});
export type ArmFindings = Readonly<z.infer<typeof armFindings>>;

export const findingsDocument = z.strictObject({
  baseline: z.string().optional(),
  confidence: z.number(),
  /** The one measure that carries verdicts. */
  primary: z.enum(MEASURE_KINDS),
  target: target.nullable(),
  /** In the config's sequence, then others on record. */
  arms: z.array(armFindings).readonly(),
  /** All of them: each arm with the baseline, then those that were planned with another arm. Empty without statistics. */
  comparisons: z.array(comparison).readonly(),
  /** What carries the claim, too few seeds, what intervals are of. */
  notes: z.array(z.string()).readonly(),
  /** How the arms' learning rates were chosen; absent where they are as the config says. */
  tuning: tuningDocument.optional(),
  /** Of normalisation: an arm's accuracy that depends on the statistics that BatchNorm keeps. */
  alarms: z.array(z.strictObject({ arm: z.string(), text: z.string() })).readonly(),
  /** Why there are no statistics; undefined where there are. Means and spreads are there either way. */
  lack: z.string().optional(),
});
/** A pure function of what an experiment's runs recorded and of the answer of the statistics. */
export type Findings = Readonly<z.infer<typeof findingsDocument>>;
