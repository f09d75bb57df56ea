/** Evaluations within an epoch, between two of its batches: how its end differs from what came before. */
import { averagedUpdates } from "./averaging.js";
import type { BegunEpoch } from "./begin-epoch.js";
import type { Looked } from "./evaluator.js";
import { beforeEpoch, type EpochUnderWay, type RunState } from "./run-state.js";
import type { Boundary } from "./train-chunks.js";
import type { Training } from "./training.js";

/** Undefined where none is wanted: of a run that is cut nothing is evaluated. */
export function withinEpoch(
  state: RunState,
  { config, evaluator, length, mostBatches }: Training,
  { underWay, source }: BegunEpoch,
): Boundary | undefined {
  const { perEpoch = 1 } = config.evaluation;
  if (perEpoch === 1 || mostBatches !== undefined) return undefined;
  if (!evaluator.isDue(state.epoch, length.isLast(beforeEpoch(state), source))) return undefined;
  const steps = equallySpaced(source.batches, perEpoch).map((batches) => underWay.firstStep + batches);
  const look = (step: number) => evaluator.look(averagedUpdates(state, step));
  return new WithinEpoch(steps, look, underWay);
}

/** Numbers of batches after which an epoch is looked at so many times, its end left out; fewer where it has fewer batches. */
export function equallySpaced(batches: number, times: number): readonly number[] {
  if (times >= batches) return Array.from({ length: Math.max(0, batches - 1) }, (_, at) => at + 1);
  return Array.from({ length: times - 1 }, (_, at) => Math.round(((at + 1) * batches) / times));
}

class WithinEpoch implements Boundary {
  readonly #steps: readonly number[];
  readonly #lookAfter: (step: number) => Promise<Looked>;
  readonly #underWay: EpochUnderWay;

  constructor(steps: readonly number[], lookAfter: (step: number) => Promise<Looked>, underWay: EpochUnderWay) {
    this.#steps = steps;
    this.#lookAfter = lookAfter;
    this.#underWay = underWay;
  }

  batchesUntilNext(step: number): number {
    return (this.#steps.find((next) => next > step) ?? Number.POSITIVE_INFINITY) - step;
  }

  /** Where a run goes on at such a step, it was looked at there, or is now. */
  ask(step: number): Promise<() => void> | undefined {
    if (!this.#steps.includes(step) || this.#underWay.within?.[step] !== undefined) return undefined;
    return this.#look(step);
  }

  async #look(step: number): Promise<() => void> {
    const { evaluated } = await this.#lookAfter(step);
    const underWay = this.#underWay;
    return () => {
      underWay.within = { ...underWay.within, [step]: { step, samples: underWay.tally.count, ...evaluated } };
    };
  }
}
