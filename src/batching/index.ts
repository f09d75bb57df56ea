import { z } from "zod";
import { progressAfter, type Spending } from "../kernels/spending.js";
import { findNamed } from "../nearest.js";
import constant from "./constant.js";
import type { BatchingDefinition, BatchPlace, ChangesBy } from "./contract.js";
import geometric from "./geometric.js";
import { lastBatchOption } from "./last-batch.js";
import linear from "./linear.js";
import steps from "./steps.js";

/** Every batching rule there is. A test holds this and the folder equal. */
export const BATCHING_RULES: readonly BatchingDefinition[] = [constant, linear, geometric, steps];

/** The batching rule with this name, or a usage error that names the nearest. */
export function findBatching(name: string): BatchingDefinition {
  return findNamed("batching rule", BATCHING_RULES, name);
}

/** The options that every batching rule has beside its own. */
export const commonBatchingOptions = z.strictObject({
  learningRate: z
    .enum(["none", "linear", "sqrt"])
    .default("none")
    .describe(
      "factor of a batch's rate, by its size over `baseSize`; none: 1; linear: the ratio (Goyal et al. 2017); sqrt: its root (Krizhevsky 2014)",
    ),
  baseSize: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe("size of batch for which the schedule's rate is meant; null: that of the run's first batch"),
  ratesOf: z
    .looseObject({ name: z.string().describe("see `ibatch list batching`") })
    .optional()
    .describe(
      "a control, with `learningRate: linear` or `sqrt`: the rates that this other rule, `{ name: linear, from: 16, to: 64 }`, would give " +
        "at the same samples, with sizes of the rule itself, not with a budget of updates; the sizes alone: `learningRate: none`",
    ),
  lastBatch: lastBatchOption,
});

/** All options of a batching rule, its own and the common ones: what a config writes beside its name. */
export function batchingOptions(definition: BatchingDefinition): z.ZodObject {
  // Unlike `extend` this keeps what a rule asks of its options together.
  return definition.options.safeExtend(commonBatchingOptions.shape);
}

/** A rule's options as they are recorded: hashes are those of before there was a choice for the last batch. */
export function recordedOptions({ lastBatch, ...options }: Record<string, unknown>): Record<string, unknown> {
  return lastBatch === "keep" ? options : { ...options, lastBatch };
}

/** A batching rule's name and its options, the common ones among them. */
export interface ChosenBatching {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

export function changesBy({ name, options }: ChosenBatching): ChangesBy {
  const rule = findBatching(name);
  return rule.changesBy(batchingOptions(rule).parse(options));
}

/** The run that a batch is of. */
export interface BatchingRun {
  readonly epochs: number;
  /** Samples of an epoch, at least 1. */
  readonly samples: number;
  /** Of a run whose length is a budget: how far it is at the epoch; else its epochs say that. */
  readonly spending?: Spending | undefined;
}

/**
 * The nominal size of each batch of an epoch (from 0), by its number: an integer ≥ 1, the same whatever was asked
 * before. A size may depend on those before it, so the batches are walked once, as far as asked, and kept.
 *
 * Asking throws a RangeError where the rule says what is no size.
 *
 * @throws ZodError where the options are not the rule's.
 */
export function batchSizes(
  { name, options }: ChosenBatching,
  { epoch, epochs, samples, spending }: BatchingRun & { readonly epoch: number },
): (batch: number) => number {
  const rule = findBatching(name);
  const parsed = batchingOptions(rule).parse(options);
  const spentBefore = spending && progressAfter(spending, 0, 0);
  const sizes: number[] = [];
  let before = 0; // samples in the batches of `sizes`
  return (batch) => {
    while (sizes.length <= batch) {
      const share = spending
        ? progressAfter(spending, before, sizes.length)
        : (epoch + Math.min(1, before / samples)) / epochs;
      const size = roundedSize(rule, { batch: sizes.length, epoch, epochs, share, spentBefore }, parsed);
      sizes.push(size);
      before += size;
    }
    return sizes[batch];
  };
}

function roundedSize(rule: BatchingDefinition, place: BatchPlace, options: unknown): number {
  const said = rule.size(place, options);
  const size = Math.round(said);
  if (Number.isSafeInteger(size) && size >= 1) return size;
  const where = `batch ${place.batch} of epoch ${place.epoch}`;
  throw new RangeError(
    `batching rule ${rule.name} gives ${where} size ${said}, expected a number that rounds to 1 or more`,
  );
}

/**
 * The factor of the learning rate of each of an epoch's batches, length `batchCount`: 1, size / base (`linear`: Goyal
 * et al. 2017, "Accurate, large minibatch SGD") or its root (`sqrt`: Krizhevsky 2014, "One weird trick"; Hoffer et al.
 * 2017, "Train longer, generalize better"). By the rule's nominal size; what `lastBatch` says is another factor.
 *
 * @param size of each batch of the epoch, as `batchSizes` gives it
 * @throws ZodError where the options are not the rule's.
 */
export function learningRateFactors(
  batching: ChosenBatching,
  size: (batch: number) => number,
  run: BatchingRun & { readonly epoch: number },
  batchCount: number,
): Float64Array {
  const { learningRate, baseSize, ratesOf } = batching.options;
  const common = commonBatchingOptions.parse({ learningRate, baseSize, ratesOf });
  const factors = new Float64Array(batchCount).fill(1);
  if (common.learningRate === "none") return factors;
  const other = common.ratesOf === undefined ? undefined : otherRule(common.ratesOf);
  const ratedSize = other === undefined ? size : sizeAtSamples(batchSizes(other, run), size);
  const base = common.baseSize ?? batchSizes(other ?? batching, { ...run, epoch: 0, spending: undefined })(0);
  for (let b = 0; b < batchCount; b++) {
    const ratio = ratedSize(b) / base;
    factors[b] = common.learningRate === "linear" ? ratio : Math.sqrt(ratio);
  }
  return factors;
}

/** The other rule that rates are of, where there is one. */
export function ratesOfRule({ options }: ChosenBatching): ChosenBatching | undefined {
  const { ratesOf } = commonBatchingOptions.pick({ ratesOf: true }).parse({ ratesOf: options.ratesOf });
  return ratesOf && otherRule(ratesOf);
}

const otherRule = ({ name, ...options }: { readonly name: string }): ChosenBatching => ({ name, options });

/** For batches of one size, asked one after another, the other rule's size of the batch that is under way where they begin. */
function sizeAtSamples(other: (batch: number) => number, own: (batch: number) => number): (batch: number) => number {
  let before = 0; // samples in own batches before the one that is asked for
  let at = 0;
  let end = other(0);
  return (batch) => {
    while (end <= before) end += other(++at);
    before += own(batch);
    return other(at);
  };
}
