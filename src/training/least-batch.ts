/** Batches that the model cannot be trained on: BatchNorm takes no variance of a single value. */
import { usageError } from "../errors.js";
import type { Plan } from "./plan.js";

export interface Least {
  /** Fewest samples that a training pass takes. */
  readonly leastBatchSize: number;
  /** Samples that go through the model at a time; null: whole batches. */
  readonly microBatch: number | null;
}

/**
 * @param where arm, order and epoch, for a person.
 * @throws IbatchError at the first batch of which fewer samples go through the model together.
 */
export function refuseTooSmall(
  { offsets }: Pick<Plan, "offsets">,
  { leastBatchSize, microBatch }: Least,
  where: string,
): void {
  for (let batch = 0; batch + 1 < offsets.length; batch++) {
    const size = offsets[batch + 1] - offsets[batch];
    const last = microBatch === null ? size : size % microBatch || microBatch;
    const together = Math.min(size, last);
    if (together >= leastBatchSize) continue;
    const part = together < size ? `, of whose ${size} samples microBatch ${microBatch} leaves ${together} over` : "";
    throw usageError(
      `${where}: batch ${batch} has ${together} sample${part}; the model's BatchNorm needs ${leastBatchSize} in a training ` +
        `pass: take another batching.size${microBatch === null ? "" : ", another microBatch"} or dataset.subset`,
    );
  }
}
