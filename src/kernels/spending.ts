/** How far a run is whose length is a budget of updates, samples or passes. */

export interface Spending {
  /** Of the budget, before the epoch's first batch. */
  readonly spent: number;
  readonly budget: number;
  /** What a sample costs that is trained on. */
  readonly perSample: number;
  /** What a batch costs beside its samples. */
  readonly perBatch: number;
}

/** Share of the budget that is spent after so much of the epoch, at most 1. */
export const progressAfter = (spending: Spending, samples: number, batches: number): number =>
  Math.min(1, spentAfter(spending, samples, batches) / spending.budget);

/** Batches of the epoch up to the one that reaches the budget; all of them where none does. */
export function batchesWithin(spending: Spending, offsets: Readonly<Uint32Array>): number {
  const count = offsets.length - 1;
  for (let batches = 1; batches < count; batches++) {
    if (spentAfter(spending, offsets[batches], batches) >= spending.budget) return batches;
  }
  return count;
}

const spentAfter = ({ spent, perSample, perBatch }: Spending, samples: number, batches: number): number =>
  spent + perSample * samples + perBatch * batches;
