import type { z } from "zod";

/** Where a batch stands in the run. */
export interface BatchPlace {
  /** Number of the batch in its epoch, from 0. */
  readonly batch: number;
  /** Epoch, from 0. */
  readonly epoch: number;
  readonly epochs: number;
  /**
   * Progress of the run before this batch, in samples: (epoch + the nominal sizes of the batches before it in this
   * epoch, as a share of the epoch's samples, at most 1) / epochs. In [0, 1) for every batch that an epoch needs.
   * With a budget the share of it that is spent, and `epochs` nominal.
   */
  readonly share: number;
  /** Of a run whose length is a budget: the share of it that is spent where the epoch begins. */
  readonly spentBefore?: number | undefined;
}

/** nothing: one size; epoch: by its number; epochs: by where it stands in the run; progress: by the share that is over. */
export type ChangesBy = "nothing" | "epoch" | "epochs" | "progress";

/** One batching rule: one file, one of these as its default export, one line in `index.ts`. */
export interface BatchingDefinition<Options = unknown> {
  readonly name: string;
  readonly summary: string;
  readonly whenToChoose: string;
  /** Its own options, without the rule for the learning rate, which all batching rules have. */
  readonly options: z.ZodType<Options> & z.ZodObject;
  /** By what its sizes change. */
  changesBy(options: Options): ChangesBy;
  /** Nominal size of the batch at this place, rounded by the caller to an integer ≥ 1: a pure function. */
  size(place: BatchPlace, options: Options): number;
}

export function defineBatching<Options>(definition: BatchingDefinition<Options>): BatchingDefinition<Options> {
  return definition;
}
