/** The candidates of an epoch's batches: named ahead, scored between the right steps, and there when a choice is due. */

import { consecutive } from "../kernels/consecutive.js";
import { random } from "../kernels/random.js";
import { shuffled } from "../kernels/shuffle.js";
import type { BatchesUnderWay } from "../order-files/run-order.js";
import { CandidateLaws } from "../orders/candidates.js";
import type { Pool } from "../orders/contract.js";
import type { DecidedInputs } from "./decided-source.js";
import { lawfulCandidates } from "./make-plan.js";
import { mapExtras, type SampleSignals } from "./sample-signals.js";

export interface PoolInputs
  extends Pick<
    DecidedInputs,
    "order" | "decided" | "batches" | "placebo" | "seed" | "epoch" | "n" | "eligible" | "score" | "chargesCandidates"
  > {
  readonly orderUnderWay: Pick<BatchesUnderWay, "candidates">;
  readonly firstStep: number;
  /** Batches that are trained on. */
  readonly count: number;
}

/**
 * Work takes effect in the order of asking. So the candidates of batch t that are asked for behind the training of
 * t − 1 − lag, and before that of t − lag, are scored with what the ledger knows at the choice. They are no part of a
 * run's state: those of batches that were not decided yet are scored again, with the same weights.
 */
export class ScoredPools {
  readonly #inputs: PoolInputs;
  readonly #laws: CandidateLaws;
  readonly #underWay = new Map<number, Promise<Pool>>();
  /** The first batch whose candidates were not asked for. */
  #next: number;

  constructor(inputs: PoolInputs) {
    this.#inputs = inputs;
    const { n, eligible, order, chargesCandidates } = inputs;
    this.#laws = new CandidateLaws(n, eligible, chargesCandidates ? order : undefined);
    this.#next = inputs.decided.count;
  }

  /** Asks for scores of the candidates of all batches up to this one. */
  async ask(last: number): Promise<void> {
    const { count } = this.#inputs;
    for (; this.#next <= last && this.#next < count; this.#next++) {
      const indices = await this.#named(this.#next);
      const scored = this.#scored(indices, this.#next);
      scored.catch(() => {}); // thrown by `take`, unless what was asked for earlier fails first
      this.#underWay.set(this.#next, scored);
    }
  }

  /** Those of a batch that were asked for. @throws Interrupted, BackendError, BackendLost. */
  async take(batch: number): Promise<Pool> {
    const scored = this.#underWay.get(batch);
    if (scored === undefined) throw new Error(`candidates of batch ${batch} were not asked for`);
    this.#underWay.delete(batch);
    return await scored;
  }

  async #named(batch: number): Promise<Uint32Array> {
    const { order, orderUnderWay, batches, firstStep, epoch } = this.#inputs;
    const { offsets } = batches;
    const step = firstStep + batch;
    const first = offsets[batch];
    const count = offsets[batch + 1] - first;
    const where = `order ${order.name} in epoch ${epoch + 1}, step ${step} (candidates)`;
    return await lawfulCandidates(
      where,
      () => orderUnderWay.candidates({ batch, step, count, first }),
      (indices) => this.#laws.fault(indices, { first, count }),
    );
  }

  async #scored(indices: Uint32Array, batch: number): Promise<Pool> {
    const { score, placebo, seed, firstStep } = this.#inputs;
    const signals = await score(indices);
    if (placebo === undefined) return { indices, ...signals };
    return { indices, ...permuted(signals, { seed, step: firstStep + batch }) };
  }
}

/** The same values, each sample's those of another one: a permutation that is a function of (seed, step). */
function permuted(
  { loss, correct, prediction, ...extras }: SampleSignals,
  { seed, step }: { readonly seed: number; readonly step: number },
): SampleSignals {
  const from = shuffled(consecutive(loss.length), random(seed, "placebo-pool", step));
  return {
    loss: loss.map((_, at) => loss[from[at]]),
    correct: correct.map((_, at) => correct[from[at]]),
    prediction: prediction.map((_, at) => prediction[from[at]]),
    ...mapExtras(extras, (values) => values.map((_, at) => values[from[at]])),
  };
}
