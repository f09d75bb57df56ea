/** How long a run is: so many epochs, or until a budget of updates, samples or passes is spent. */
import { batchSizes } from "../batching/index.js";
import type { ArmConfig } from "../config/config.js";
import { usageError } from "../errors.js";
import { progressAfter, type Spending } from "../kernels/spending.js";
import { whyTooLittle } from "../order-files/recorded-work.js";
import type { RunOrder } from "../order-files/run-order.js";
import { sampleSize } from "../orders/fraction.js";
import { isScoringDue } from "../orders/ledger-options.js";
import { type Budget, budgetOf, PRICES } from "../record/budget.js";
import { leastUpdates, shuffledEnd } from "./shuffled-end.js";

/** What was done before an epoch, or between two. */
export interface Before {
  readonly epoch: number;
  /** Batches trained on. */
  readonly step: number;
  /** Samples trained on, and scored. */
  readonly samples: number;
  readonly scored: number;
}

export class RunLength {
  /**
   * Of the whole run; of a budget nominal, and maybe a fraction: what an epoch costs whose samples are as many as the order
   * declares, in batches of the first one's size.
   */
  readonly epochs: number;
  readonly #config: Pick<ArmConfig, "order">;
  readonly #budget: Budget | undefined;
  /** Of the budget, where the order's epochs end and a shuffle begins, and where the run ends; equal where none is wanted. */
  readonly #ends: { readonly order: number; readonly run: number };
  readonly #eligibleCount: number;
  /** Of the run's first batch. */
  readonly #size: number;
  /** Samples that are scored for each that is trained on, beside passes: candidates of batches, as the order declares. */
  readonly #candidates: number;

  /**
   * @throws IbatchError where the first scoring pass, or the shuffle at the end, would spend the whole budget, or less than
   * the order's part of it is recorded.
   */
  constructor(
    config: Pick<ArmConfig, "order" | "batching" | "epochs" | "budget">,
    { epochShare, candidatesPerSample, recorded }: Pick<RunOrder, "epochShare" | "candidatesPerSample" | "recorded">,
    eligibleCount: number,
  ) {
    this.#config = config;
    this.#eligibleCount = eligibleCount;
    this.#budget = budgetOf(config.budget);
    const samples = sampleSize(epochShare, eligibleCount);
    this.#size = batchSizes(config.batching, { epoch: 0, epochs: 1, samples })(0);
    this.#candidates = candidatesPerSample;
    this.#ends = endsOf(this.#budget, config, eligibleCount);
    const lack = this.#budget && recorded && whyTooLittle(recorded(), { ...this.#budget, amount: this.#ends.order });
    if (lack !== undefined) throw usageError(lack);
    this.epochs = this.#budget ? this.#budget.amount / this.#costOfEpoch(this.#budget, samples) : epochsOf(config);
    const atStart = { epoch: 0, step: 0, samples: 0, scored: 0 };
    const isDue = isScoringDue(config.order.ledger, 0) && !this.isShuffled(atStart);
    if (isDue && !this.isScoringDue(atStart)) {
      throw usageError(
        `a budget of ${this.#budget?.amount} forwardEquivalents is spent by the scoring pass before the first epoch ` +
          `(${eligibleCount} samples)${this.#endText()}: name more, or take start: shuffled`,
      );
    }
  }

  isOver(before: Before): boolean {
    if (this.#budget === undefined) return before.epoch >= this.epochs;
    return spentOn(this.#budget, before) >= this.#ends.run;
  }

  /** Whether the epoch is the last one, which the config wants shuffled. */
  isShuffled(before: Before): boolean {
    if (this.#config.order.shuffledLastEpoch !== true) return false;
    if (this.#budget === undefined) return before.epoch + 1 === this.epochs;
    return spentOn(this.#budget, before) >= this.#ends.order;
  }

  /**
   * Whether the run is over after the epoch that begins here, with so many samples and batches; of candidates that a budget
   * counts as many are expected as the order declares.
   */
  isLast(before: Before, { samples, batches }: { readonly samples: number; readonly batches: number }): boolean {
    if (this.#config.order.shuffledLastEpoch === true) return this.isShuffled(before);
    const spending = this.spending(before);
    return spending === undefined ? before.epoch + 1 >= this.epochs : progressAfter(spending, samples, batches) >= 1;
  }

  /** Share of the run that is done after so much of the epoch that begins here, which has `ofEpoch` samples. */
  progress(
    before: Before,
    { samples, batches }: { readonly samples: number; readonly batches: number },
    ofEpoch: number,
  ): number {
    const spending = this.spending(before);
    return spending ? progressAfter(spending, samples, batches) : (before.epoch + samples / ofEpoch) / this.epochs;
  }

  /** A pass that leaves the order's epochs nothing to train with is not made: what is left is trained on by what is known. */
  isScoringDue(before: Before): boolean {
    if (this.isShuffled(before) || !isScoringDue(this.#config.order.ledger, before.epoch)) return false;
    return this.#budget === undefined || this.#afterPass(this.#budget, before) < this.#ends.order;
  }

  /** At the first batch of the epoch; undefined where epochs say how far a run is. */
  spending(before: Before): Spending | undefined {
    if (this.#budget === undefined) return undefined;
    const { kind, amount } = this.#budget;
    const { perSample, perBatch, perScored } = PRICES[kind];
    if (this.isShuffled(before)) {
      const spent = spentOn(this.#budget, before);
      // The order's last batch may have cost more than was left: all samples are shuffled none the less.
      const budget = Math.max(amount, spent + this.#ends.run - this.#ends.order);
      return { spent, budget, until: budget, perSample, perBatch };
    }
    const spent = this.isScoringDue(before) ? this.#afterPass(this.#budget, before) : spentOn(this.#budget, before);
    const until = this.#ends.order;
    return { spent, budget: amount, until, perSample: perSample + perScored * this.#candidates, perBatch };
  }

  #costOfEpoch({ kind }: Budget, samples: number): number {
    const { perSample, perBatch, perScored } = PRICES[kind];
    const { signal, every = 1 } = this.#config.order.ledger ?? {};
    const passes = signal === "rescore" ? this.#eligibleCount / every : 0;
    const scored = passes + this.#candidates * samples;
    return perSample * samples + perBatch * Math.ceil(samples / this.#size) + perScored * scored;
  }

  #endText(): string {
    return this.#ends.order < this.#ends.run
      ? ` and the shuffled last epoch (${this.#ends.run - this.#ends.order})`
      : "";
  }

  #afterPass(budget: Budget, before: Before): number {
    return spentOn(budget, before) + PRICES[budget.kind].perScored * this.#eligibleCount;
  }
}

/** @throws IbatchError where a shuffle at the end leaves nothing for the order. */
function endsOf(
  budget: Budget | undefined,
  { batching, order }: Pick<ArmConfig, "batching" | "order">,
  eligibleCount: number,
): { readonly order: number; readonly run: number } {
  if (budget === undefined) return { order: Number.POSITIVE_INFINITY, run: Number.POSITIVE_INFINITY };
  const { kind, amount } = budget;
  if (order.shuffledLastEpoch !== true) return { order: amount, run: amount };
  const { perSample, perBatch } = PRICES[kind];
  const { samples, batches, kept } = shuffledEnd(batching, eligibleCount, kind === "updates" ? amount : undefined);
  const orderEnd = amount - perSample * samples - perBatch * kept;
  if (orderEnd > 0) return { order: orderEnd, run: orderEnd + perSample * samples + perBatch * batches };
  const most = kind === "updates" ? leastUpdates(batching, eligibleCount) - 1 : amount - orderEnd;
  throw usageError(
    `a budget of ${amount} ${kind} leaves the order nothing beside a shuffled last epoch of ${eligibleCount} samples: ` +
      `name more than ${most}, or leave shuffledLastEpoch out`,
  );
}

function epochsOf({ epochs }: Pick<ArmConfig, "epochs">): number {
  if (epochs === undefined) throw new Error("a run has neither epochs nor a budget");
  return epochs;
}

function spentOn({ kind }: Budget, { step, samples, scored }: Before): number {
  const { perSample, perBatch, perScored } = PRICES[kind];
  return perSample * samples + perBatch * step + perScored * scored;
}
