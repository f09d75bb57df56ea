import type { z } from "zod";

/** Where in the budget a batch stands. */
export interface SchedulePosition {
  /** Share of the budget that is spent, in [0, 1]; a batch's is that before it, so always less than 1. */
  readonly progress: number;
  /** The whole budget, in epochs. */
  readonly epochs: number;
}

/** One learning-rate schedule: one file, one of these as its default export, one line in `index.ts`. */
export interface ScheduleDefinition<Options = unknown> {
  readonly name: string;
  readonly summary: string;
  readonly whenToChoose: string;
  /** Its own options, without `learningRate` and the warm-up, which all schedules have. */
  readonly options: z.ZodType<Options> & z.ZodObject;
  /** Share of `learningRate` at this position, warm-up left out: a pure function. */
  factor(position: SchedulePosition, options: Options): number;
}

export function defineSchedule<Options>(definition: ScheduleDefinition<Options>): ScheduleDefinition<Options> {
  return definition;
}
