/** Where an epoch's batches come from. */
import { batchesOf, type Chunk } from "./plan.js";
import type { PlannedEpoch } from "./planner.js";

export interface BatchSource {
  /** Chunks that are under way at a time: one is trained on while the next one waits, so a GPU never drains. */
  readonly chunksUnderWay: number;
  /** Samples and batches of the whole epoch, and where each batch begins and ends. */
  readonly samples: number;
  readonly batches: number;
  readonly offsets: Readonly<Uint32Array>;
  /** The next batches, at most so many; undefined at the epoch's end. They are on record when they are handed out. */
  next(mostBatches: number): Promise<Chunk | undefined>;
  /** The ledger has what was measured of these samples. */
  learned(samples: Readonly<Uint32Array>): void;
  /** The step at which samples that were scored for a choice showed that the run has diverged: it ended there. */
  readonly divergedAtStep: number | undefined;
  /** Seconds of deciding on batches since this was last asked. */
  takeSecondsOfDeciding(): number;
  /** What the epoch is trained on; of one that is decided batch by batch, as far as it is decided. */
  planned(): PlannedEpoch;
}

/** A whole epoch that was planned beforehand. */
export class PlanSource implements BatchSource {
  readonly chunksUnderWay = 2;
  readonly divergedAtStep = undefined;
  readonly samples: number;
  readonly batches: number;
  readonly offsets: Readonly<Uint32Array>;
  readonly #planned: PlannedEpoch;
  readonly #firstStep: number;
  #done: number;

  /** `firstStep`: of the plan's first batch; `step`: of the first one that is still to be trained on. */
  constructor(planned: PlannedEpoch, { firstStep, step }: { readonly firstStep: number; readonly step: number }) {
    this.samples = planned.plan.indices.length;
    this.batches = planned.plan.learningRates.length;
    this.offsets = planned.plan.offsets;
    this.#planned = planned;
    this.#firstStep = firstStep;
    this.#done = step - firstStep;
  }

  async next(mostBatches: number): Promise<Chunk | undefined> {
    const { plan } = this.#planned;
    const first = this.#done;
    const last = Math.min(first + mostBatches, plan.learningRates.length);
    if (first === last) return undefined;
    this.#done = last;
    return { firstStep: this.#firstStep + first, ...batchesOf(plan, first, last) };
  }

  learned(): void {} // it was planned before

  takeSecondsOfDeciding(): number {
    return 0;
  }

  planned(): PlannedEpoch {
    return this.#planned;
  }
}
