/** The numbers of an epoch under the names that exports give them, in a fixed order. */

import type { EpochMetrics, EpochTimings, EvaluatedParts, Measured, OrderMonitors } from "../record/epoch-metrics.js";
import type { RecordedNumber } from "../record/number.js";

export interface RecordedEpoch {
  readonly metrics: EpochMetrics;
  /** Undefined where its line is not written yet. */
  readonly timings: EpochTimings | undefined;
}

export interface Measure {
  /** `group/name`, in snake case: TensorBoard makes a section of a group. */
  readonly name: string;
  /** Undefined where there is no such value. */
  of(epoch: RecordedEpoch): RecordedNumber | undefined;
  /** The same of an evaluation before the epoch's end; absent where that measures nothing such. */
  within?(evaluated: EvaluatedParts): RecordedNumber | undefined;
}

const EVALUATED = ["trainSample", "validation", "test"] as const;

const MONITORS = [
  "distinct",
  "mostDrawn",
  "effectiveDataSize",
  "meanInverseInclusion",
  "effectiveSampleSize",
  "meanWeight",
  "meanLossAgeSteps",
  "rankCorrelation",
  "classesPerBatch",
  "classesPerBatchByChance",
  "classDistance",
  "classDistanceByChance",
] as const satisfies readonly (keyof OrderMonitors)[];

const SPENT = ["ordering", "training", "scoring", "evaluating", "wire", "waiting", "total"] as const;

const NORMALISED_BY = ["running", "batch", "reestimated"] as const;

export const MEASURES: readonly Measure[] = [
  { name: "batches", of: ({ metrics }) => metrics.batches },
  { name: "samples", of: ({ metrics }) => metrics.samples },
  { name: "scored", of: ({ metrics }) => metrics.scored },
  { name: "batch_size/smallest", of: ({ metrics }) => metrics.batchSize.smallest },
  { name: "batch_size/largest", of: ({ metrics }) => metrics.batchSize.largest },
  { name: "learning_rate/first", of: ({ metrics }) => metrics.learningRate.first },
  { name: "learning_rate/last", of: ({ metrics }) => metrics.learningRate.last },
  ...measured("train/", ({ metrics }) => metrics.train),
  ...EVALUATED.flatMap((part) => measuredWithin(`${snakeCase(part)}/`, (evaluated) => evaluated[part])),
  {
    name: "averaged/updates",
    of: ({ metrics }) => metrics.averaged?.updates,
    within: ({ averaged }) => averaged?.updates,
  },
  ...EVALUATED.flatMap((part) => measuredWithin(`averaged/${snakeCase(part)}_`, ({ averaged }) => averaged?.[part])),
  ...measuredWithin("averaged/last_reestimated_", ({ averaged }) => averaged?.lastReestimated),
  ...MONITORS.map(
    (monitor): Measure => ({
      name: `order/${snakeCase(monitor)}`,
      of: ({ metrics }) => metrics.order[monitor],
    }),
  ),
  ...(["share", "drawn", "mostDrawn"] as const).map(
    (name): Measure => ({ name: `label_noise/${snakeCase(name)}`, of: ({ metrics }) => metrics.labelNoise?.[name] }),
  ),
  ...SPENT.map((spent): Measure => ({ name: `seconds/${spent}`, of: ({ timings }) => timings?.[`${spent}Seconds`] })),
  ...NORMALISED_BY.flatMap((by) => measured(`batch_norm/test_${by}_`, ({ metrics }) => metrics.batchNorm?.test?.[by])),
  ...(["running", "batch"] as const).flatMap((by) =>
    measured(`batch_norm/own_batches_${by}_`, ({ metrics }) => metrics.batchNorm?.ownBatches?.[by]),
  ),
];

function measured(prefix: string, find: (epoch: RecordedEpoch) => Measured | undefined): Measure[] {
  return (["loss", "accuracy", "count"] as const).map((key) => ({
    name: `${prefix}${key}`,
    of: (epoch) => find(epoch)?.[key],
  }));
}

/** Of what is evaluated within epochs, too. */
function measuredWithin(prefix: string, find: (evaluated: EvaluatedParts) => Measured | undefined): Measure[] {
  return (["loss", "accuracy", "count"] as const).map((key) => ({
    name: `${prefix}${key}`,
    of: ({ metrics }) => find(metrics)?.[key],
    within: (evaluated) => find(evaluated)?.[key],
  }));
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
