import type { RecordedPlan } from "../record/run-record.js";

/** What one epoch trains on: everything that the backend needs to know but the seed. */
export type Plan = RecordedPlan;

/** Some whole batches of a plan: what one `train` message carries. Arrays are views into the plan where they can be. */
export interface Chunk {
  /** Step of its first batch. */
  readonly firstStep: number;
  readonly indices: Uint32Array;
  /** Counted from the chunk's own first sample. */
  readonly offsets: Uint32Array;
  readonly learningRates: Float64Array;
  readonly weights: Float32Array | undefined;
}

/** Batches first … last-1 of a plan. */
export function batchesOf(plan: Plan, first: number, last: number): Omit<Chunk, "firstStep"> {
  const [start, end] = [plan.offsets[first], plan.offsets[last]];
  return {
    indices: plan.indices.subarray(start, end),
    offsets: plan.offsets.slice(first, last + 1).map((offset) => offset - start),
    learningRates: plan.learningRates.subarray(first, last),
    weights: plan.weights?.subarray(start, end),
  };
}

/** The first batches of a plan, all of them where it has no more. */
export function firstBatches(plan: Plan, count: number): Plan {
  return count < plan.learningRates.length ? batchesOf(plan, 0, count) : plan;
}
