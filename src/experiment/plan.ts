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

/** The plan in chunks of `chunkBatches` batches; the last one may be shorter. `firstStep`: step of its first batch. */
export function* chunks(plan: Plan, firstStep: number, chunkBatches: number): Generator<Chunk> {
  const batches = plan.learningRates.length;
  for (let first = 0; first < batches; first += chunkBatches) {
    const last = Math.min(first + chunkBatches, batches);
    const start = plan.offsets[first];
    const end = plan.offsets[last];
    yield {
      firstStep: firstStep + first,
      indices: plan.indices.subarray(start, end),
      offsets: plan.offsets.slice(first, last + 1).map((offset) => offset - start),
      learningRates: plan.learningRates.subarray(first, last),
      weights: plan.weights?.subarray(start, end),
    };
  }
}
