/** What becomes of an epoch's last batch where it is smaller than the batching rule says. */
import { z } from "zod";

export const lastBatchOption = z
  .enum(["keep", "scale", "drop"])
  .default("keep")
  .describe(
    "an epoch's last batch, where it is smaller than the rule says; keep: takes the whole rate, so that a lone sample " +
      "weighs a full step; scale: its rate times its size over the rule's; drop: is left out of the epoch, the same samples " +
      "in each epoch where an order does not change",
  );

/** Share of the rule's size that the last batch has: 1 unless it is smaller. `size`: the rule's, of each batch. */
export function lastBatchShare(offsets: Readonly<Uint32Array>, size: (batch: number) => number): number {
  const last = offsets.length - 2;
  return Math.min(1, (offsets[last + 1] - offsets[last]) / size(last));
}

interface Batches {
  readonly indices: Uint32Array;
  readonly offsets: Uint32Array;
  readonly weights?: Float32Array;
  readonly inclusion?: Float64Array;
}

/** The first batches, as views; everything else as it is. */
export function firstOfBatches<Of extends Batches>(batches: Of, count: number): Of {
  const { indices, offsets, weights, inclusion } = batches;
  const end = offsets[count];
  return {
    ...batches,
    indices: indices.subarray(0, end),
    offsets: offsets.subarray(0, count + 1),
    ...(weights && { weights: weights.subarray(0, end) }),
    ...(inclusion && { inclusion: inclusion.subarray(0, end) }),
  };
}
