/** How far a run is whose length is a budget of updates, samples or passes. */

export interface Spending {
  /** Of the budget, before the epoch's first batch. */
  readonly spent: number;
  readonly budget: number;
  /** Of the budget, where the order's epochs end: before all of it where the run keeps some for a shuffle. */
  readonly until: number;
  /** What a sample costs that is trained on. */
  readonly perSample: number;
  /** What a batch costs beside its samples. */
  readonly perBatch: number;
}

/** Share of the budget that is spent after so much of the epoch, at most 1. */
export const progressAfter = (spending: Spending, samples: number, batches: number): number =>
  Math.min(1, spentAfter(spending, samples, batches) / spending.budget);

/** Batches of the epoch up to the one that reaches its end of the budget; all of them where none does. */
export function batchesWithin(spending: Spending, offsets: Readonly<Uint32Array>): number {
  const count = offsets.length - 1;
  for (let batches = 1; batches < count; batches++) {
    if (spentAfter(spending, offsets[batches], batches) >= spending.until) return batches;
  }
  return count;
}

const spentAfter = ({ spent, perSample, perBatch }: Spending, samples: number, batches: number): number =>
  spent + perSample * samples + perBatch * batches;
