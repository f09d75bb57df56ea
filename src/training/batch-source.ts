/** Where an epoch's batches come from. */
import { batchesOf, type Chunk, type Plan } from "./plan.js";

export interface BatchSource {
  /** Chunks that are under way at a time: one is trained on while the next one waits, so a GPU never drains. */
  readonly chunksUnderWay: number;
  /** Samples of the whole epoch. */
  readonly samples: number;
  /** The next batches, at most so many; undefined at the epoch's end. They are on record when they are handed out. */
  next(mostBatches: number): Promise<Chunk | undefined>;
}

/** A whole epoch that was planned beforehand. */
export class PlanSource implements BatchSource {
  readonly chunksUnderWay = 2;
  readonly samples: number;
  readonly #plan: Plan;
  readonly #firstStep: number;
  #done: number;

  /** `firstStep`: of the plan's first batch; `step`: of the first one that is still to be trained on. */
  constructor(plan: Plan, { firstStep, step }: { readonly firstStep: number; readonly step: number }) {
    this.samples = plan.indices.length;
    this.#plan = plan;
    this.#firstStep = firstStep;
    this.#done = step - firstStep;
  }

  async next(mostBatches: number): Promise<Chunk | undefined> {
    const first = this.#done;
    const last = Math.min(first + mostBatches, this.#plan.learningRates.length);
    if (first === last) return undefined;
    this.#done = last;
    return { firstStep: this.#firstStep + first, ...batchesOf(this.#plan, first, last) };
  }
}
