/** What a run keeps of its budget for a whole shuffle at its end. */
import { batchSizes, type ChosenBatching, commonBatchingOptions } from "../batching/index.js";
import { cut } from "../orders/contract.js";

export interface ShuffledEnd {
  readonly samples: number;
  /** Updates. */
  readonly batches: number;
  /** Updates that are kept for them: as many, or more where sizes shrink. */
  readonly kept: number;
}

/**
 * A shuffle of so many eligible samples. `updates`: the budget, where that is its kind; else batches are not counted.
 *
 * Sizes may change with the progress of the run, so the updates that are kept are the least number from where on batches hold
 * all samples. Where sizes shrink, fewer batches may hold them from there, and too many from the next update: a run that ends
 * on a whole shuffle then ends so many updates short.
 */
export function shuffledEnd(batching: ChosenBatching, samples: number, updates: number | undefined): ShuffledEnd {
  const { lastBatch } = commonBatchingOptions
    .pick({ lastBatch: true })
    .parse({ lastBatch: batching.options.lastBatch });
  if (lastBatch === "drop") {
    const size = batchSizes(batching, { epoch: 0, epochs: 1, samples })(0); // a config has it of equal sizes alone
    const whole = Math.floor(samples / size);
    return { samples: whole * size, batches: whole, kept: whole };
  }
  if (updates === undefined) return { samples, batches: 0, kept: 0 };
  const sizesFrom = (spent: number) => {
    const spending = { spent, budget: updates, until: updates, perSample: 0, perBatch: 1 };
    return batchSizes(batching, { epoch: 0, epochs: 1, samples, spending });
  };
  const most = Math.min(updates, samples);
  const size = sizesFrom(updates - most);
  let kept = 0;
  for (let held = 0; held < samples && kept < most; held += size(most - kept)) kept += 1;
  const batches = cut(samples, sizesFrom(updates - kept)).length - 1;
  return { samples, batches: Math.min(kept, batches), kept };
}

/** Of budgets of updates, one that leaves the order something beside that shuffle, where one update less leaves it nothing. */
export function leastUpdates(batching: ChosenBatching, samples: number): number {
  let [enough, tooFew] = [samples + 1, 0]; // no shuffle has more batches than samples
  while (enough - tooFew > 1) {
    const updates = Math.floor((enough + tooFew) / 2);
    if (shuffledEnd(batching, samples, updates).kept < updates) enough = updates;
    else tooFew = updates;
  }
  return enough;
}
