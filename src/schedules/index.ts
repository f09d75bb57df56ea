import { z } from "zod";
import { progressAfter, type Spending } from "../kernels/spending.js";
import { findNamed } from "../nearest.js";
import constant from "./constant.js";
import type { ScheduleDefinition } from "./contract.js";
import cosine from "./cosine.js";
import oneCycle from "./one-cycle.js";
import step from "./step.js";

/** Every learning-rate schedule there is. A test holds this and the folder equal. */
export const SCHEDULES: readonly ScheduleDefinition[] = [constant, step, cosine, oneCycle];

/** The schedule with this name, or a usage error that names the nearest. */
export function findSchedule(name: string): ScheduleDefinition {
  return findNamed("schedule", SCHEDULES, name);
}

const MAX_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

export const learningRate = z
  .number()
  .positive()
  .refine((rate) => rate <= MAX_FLOAT32, "is larger than 3.4e38, the most that float32 holds, in which weights are");

/** The options that every schedule has beside its own. */
const commonScheduleOptions = z.strictObject({
  learningRate: learningRate.describe(
    "the rate of which the schedule takes its share, a step's factor on the gradient; without a default",
  ),
  warmupEpochs: z.number().min(0).default(0).describe("epochs of linear warm-up; 0: none"),
  warmupFrom: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe("share of the rate at the first batch of the warm-up, in 0 … 1"),
});

/** All options of a schedule, its own and the common ones: what a config writes beside its name. */
export function scheduleOptions(definition: ScheduleDefinition): z.ZodObject {
  return commonScheduleOptions.extend(definition.options.shape);
}

/** A schedule's name with its options beside it, as a config has it. */
export interface NamedSchedule {
  readonly name: string;
  readonly [option: string]: unknown;
}

/** The batches of an epoch: batch b is its samples offsets[b] … offsets[b + 1] - 1, of as many as the last offset says. */
export interface EpochBatches {
  /** From 0. */
  readonly epoch: number;
  readonly epochs: number;
  readonly offsets: Readonly<Uint32Array>;
  /** Of a run whose length is a budget: how far it is at the epoch; `epochs` are then nominal. */
  readonly spending?: Spending | undefined;
}

/**
 * The learning rate of each batch of an epoch, which stands where the samples before it end: at
 * (epoch + their share of the epoch's samples) of `epochs`, or where so much of the budget is spent. The schedule's
 * share times that of the linear warm-up, in float64.
 */
export function learningRates(
  schedule: NamedSchedule,
  { epoch, epochs, offsets, spending }: EpochBatches,
): Float64Array {
  const { name, learningRate, warmupEpochs, warmupFrom, ...own } = schedule;
  const definition = findSchedule(name);
  const common = commonScheduleOptions.parse({ learningRate, warmupEpochs, warmupFrom });
  const options = definition.options.parse(own);

  const samples = offsets[offsets.length - 1];
  const rates = new Float64Array(offsets.length - 1);
  for (let b = 0; b < rates.length; b++) {
    const share = spending && progressAfter(spending, offsets[b], b);
    const place = share === undefined ? epoch + offsets[b] / samples : share * epochs;
    const factor = definition.factor({ progress: share ?? place / epochs, epochs }, options);
    rates[b] = common.learningRate * factor * warmup(place, common.warmupEpochs, common.warmupFrom);
  }
  return rates;
}

/** Share of the rate at this place, in epochs: from `from` to 1 along a line that ends at `length`. */
function warmup(place: number, length: number, from: number): number {
  return place < length ? from + ((1 - from) * place) / length : 1;
}
