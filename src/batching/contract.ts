import type { z } from "zod";

/** What a batching rule may look at. */
export interface BatchingContext<Options> {
  readonly options: Options;
  /** Epoch, from 0. */
  readonly epoch: number;
  readonly epochs: number;
  /** Number of samples that may be drawn. */
  readonly eligibleCount: number;
}

/** One batching rule: one file, one of these as its default export, one line in `index.ts`. */
export interface BatchingDefinition<Options = unknown> {
  readonly name: string;
  readonly summary: string;
  readonly whenToChoose: string;
  readonly options: z.ZodType<Options> & z.ZodObject;
  /** Number of samples of the b-th batch of the epoch, an integer ≥ 1. */
  size(batch: number, context: BatchingContext<Options>): number;
}

export function defineBatching<Options>(definition: BatchingDefinition<Options>): BatchingDefinition<Options> {
  return definition;
}
