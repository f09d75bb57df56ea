/** The lines of `metrics.jsonl` and `timings.jsonl`: their schemas, used to write and to read. */
import { z } from "zod";
import { recordedNumber } from "./number.js";

const count = z.int().min(0);
const quantity = z.number().min(0);
/** For what is 0 or more, or at most 1, but for rounding. */
const ROUNDING = 1e-6;

export const measured = z.object({ loss: recordedNumber, accuracy: z.number().min(0).max(1), count });
/** Mean loss and share classified right, over `count` samples. */
export type Measured = z.infer<typeof measured>;

const classMonitors = z.object({
  /** Different classes in a batch, in the mean over the epoch's batches, and what a uniform sample of such sizes would have. */
  classesPerBatch: quantity,
  classesPerBatchByChance: quantity,
  /**
   * Total-variation distance of a batch's classes from those of all eligible samples, 0 … 1, likewise: by the labels that are
   * trained on.
   */
  classDistance: quantity,
  classDistanceByChance: quantity,
});
/** How mixed the classes of batches are. */
export type ClassMonitors = z.infer<typeof classMonitors>;

const orderMonitors = z.object({
  /** Different samples among those drawn. */
  distinct: count,
  /** How often the sample came that came most often. */
  mostDrawn: count,
  /**
   * 1/Σp² of the probabilities of being drawn first, over the eligible samples: their number where all are alike.
   * Not known of a replayed order.
   */
  effectiveDataSize: quantity.optional(),
  /**
   * Σ1/q over the drawn samples, q being the probability with which each was to be drawn, as a share of the eligible
   * ones: 1 in expectation. Only where the order says q. Uncapped, so `meanWeight` below it is the weight that a cap cost.
   */
  meanInverseInclusion: quantity.optional(),
  /** (Σw)²/Σw² of the weights (Kish); only where there are weights. */
  effectiveSampleSize: quantity.optional(),
  /** Of the weights as sent; 1 in expectation for unbiased ones without a cap. Only where there are weights. */
  meanWeight: quantity.optional(),
  /** Steps since the losses of the drawn samples were seen, in the mean; only for an order that reads the ledger. */
  meanLossAgeSteps: quantity.optional(),
  /** Spearman's, between the places of samples in this order and in the last epoch's; from the second epoch on. */
  rankCorrelation: z
    .number()
    .min(-1 - ROUNDING)
    .max(1 + ROUNDING)
    .optional(),
  /** Absent in records of before there were such. */
  ...classMonitors.partial().shape,
});
/** What is watched of every epoch's order. */
export type OrderMonitors = z.infer<typeof orderMonitors>;

const batchNorm = z.object({
  /** A fixed, shuffled part of the test set. */
  test: z.object({ running: measured, batch: measured, reestimated: measured }).optional(),
  /** Whole batches of what the last epoch trained on. */
  ownBatches: z.object({ running: measured, batch: measured }).optional(),
});
/**
 * The same samples, with BatchNorm normalising by its running statistics, by those of the batch under way, and by
 * re-estimated ones. All without dropout and augmentation.
 */
export type BatchNormMetrics = z.infer<typeof batchNorm>;

const share = z.number().min(0).max(1);
const labelNoise = z.object({
  /** Of the eligible samples, those that are trained on with another label than the dataset's. */
  share,
  /** Of all draws up to this epoch's end, those of such samples. */
  drawn: share,
  /** Of the tenth of the eligible samples that was drawn most up to then, such samples. */
  mostDrawn: share,
});
/** How many wrong labels there are, and whether an order prefers them. */
export type LabelNoiseMetrics = z.infer<typeof labelNoise>;

const parts = {
  trainSample: measured.optional(),
  validation: measured.optional(),
  test: measured.optional(),
};

const evaluated = {
  ...parts,
  /** The same of the mean of the weights over so many updates; only where `evaluation.averaged` wants it, once there is one. */
  averaged: z
    .object({
      updates: count,
      ...parts,
      /**
       * The last weights on the test set under statistics estimated anew, as the mean's are: what the mean is to be held against.
       * Only of a model with BatchNorm; absent in records of before there was such.
       */
      lastReestimated: measured.optional(),
    })
    .optional(),
};

export const withinPoint = z.object({
  step: count,
  /** Of the epoch, up to there. */
  samples: count,
  ...evaluated,
});
/** An evaluation between two batches of an epoch. */
export type WithinPoint = z.infer<typeof withinPoint>;
/** What an evaluation says, whenever it was. */
export type EvaluatedParts = Pick<WithinPoint, keyof typeof evaluated>;

export const epochMetrics = z.object({
  epoch: count,
  step: count,
  batches: count,
  samples: count,
  /** Samples of the scoring pass before this epoch; 0 where there was none. */
  scored: count,
  /** Smallest and largest batch. */
  batchSize: z.object({ smallest: count, largest: count }),
  learningRate: z.object({ first: quantity, last: quantity }),
  train: measured,
  ...evaluated,
  /** Evaluations before the epoch's end; only where `evaluation.perEpoch` wants some. */
  within: z.array(withinPoint).optional(),
  /** Of the last epoch, for a model that normalises by batches. */
  batchNorm: batchNorm.optional(),
  order: orderMonitors,
  /** Only where `dataset.labelNoise` says so. */
  labelNoise: labelNoise.optional(),
  orderSha256: z.string(),
  planSha256: z.string(),
});
/** A line of `metrics.jsonl`: only what is a function of config and seed. */
export type EpochMetrics = z.infer<typeof epochMetrics>;

export const epochTimings = z.object({
  epoch: count,
  /** Making the order and the rates. */
  orderingSeconds: quantity,
  /** Training, as the backend measured it. */
  trainingSeconds: quantity,
  /** Scoring passes, as the backend measured them. */
  scoringSeconds: quantity,
  /** Evaluating, as the backend measured it. */
  evaluatingSeconds: quantity,
  /**
   * Time with messages under way that the backend did not spend on them: packing, sending, hashing, unpacking. A
   * difference of what two clocks say: it may be below 0.
   */
  wireSeconds: z.number(),
  /** The rest of the epoch, in which the backend waited: recording, and making the order. */
  waitingSeconds: z.number().min(-ROUNDING),
  totalSeconds: quantity,
});
/** A line of `timings.jsonl`. All in seconds. */
export type EpochTimings = Readonly<z.infer<typeof epochTimings>>;
