/** Makes the plans of a run, each from what was known before its epoch; the next one while the backend evaluates. */

import type { ArmConfig } from "../config/config.js";
import { type RunOrder, sizesOf } from "../order-files/run-order.js";
import { cut } from "../orders/contract.js";
import { type PlanHashes, planHashes } from "../record/run-record.js";
import { secondsSince } from "./clock.js";
import { copyOf, type DecidedInputs, DecidedSource } from "./decided-source.js";
import { refuseTooSmall } from "./least-batch.js";
import type { Ledger } from "./ledger.js";
import { type Batches, batchesIn, calling, makePlan, type Planned, type RunSizes, sizesIn } from "./make-plan.js";
import { orderIn } from "./order-in-epoch.js";
import { placeboOf } from "./placebo.js";
import { firstBatches } from "./plan.js";
import type { Before, RunLength } from "./run-length.js";
import type { OrderMemory } from "./run-state.js";
import type { Session } from "./session.js";
import type { Split } from "./split.js";

export interface PlannerInputs {
  readonly config: ArmConfig;
  /** The order that the config names. */
  readonly order: RunOrder;
  /** Of its orders. */
  readonly seed: number;
  readonly session: Pick<Session, "opened">;
  readonly split: Split;
  readonly length: RunLength;
  /** Of every sample, as it is trained on. */
  readonly labels: Uint32Array;
  /** Batches after which the run is over, whatever its epochs; undefined: none. */
  readonly mostBatches?: number | undefined;
}

/** What a plan is made from, beside config, seed and data. */
export interface PlannedFrom extends Before {
  readonly ledger: Readonly<Ledger>;
  /** What the order kept; null: it was not asked yet. Left as it is. */
  readonly memory: OrderMemory | null;
  /** What the epoch before trained on. */
  readonly before: Readonly<Uint32Array> | null;
}

export interface PlannedEpoch extends Planned {
  readonly epoch: number;
  readonly hashes: PlanHashes;
  /** What the order keeps after it. */
  readonly memory: OrderMemory;
  /** That it took to make. */
  readonly seconds: number;
}

export class Planner {
  readonly #inputs: PlannerInputs;
  /** A plan that is being made before its epoch. */
  #early: { readonly plan: Promise<PlannedEpoch>; seconds: number } | undefined;

  constructor(inputs: PlannerInputs) {
    this.#inputs = inputs;
  }

  /** The plan of an epoch. @throws IbatchError where it cannot be made, or trained on; Interrupted. */
  plan(from: PlannedFrom): Promise<PlannedEpoch> {
    const early = this.#early?.plan;
    this.#early = undefined;
    return early ?? this.#make(from);
  }

  /** Makes the plan that will be asked for next. What fails meanwhile is thrown when it is. */
  planEarly(from: PlannedFrom): void {
    const early = { plan: this.#make(from), seconds: 0 };
    early.plan.then(
      ({ seconds }) => {
        early.seconds = seconds;
      },
      () => {}, // an order that fails costs no line of the epoch before it
    );
    this.#early = early;
  }

  /** Waits until the plan that is made early is made, or has failed. */
  async madeEarly(): Promise<void> {
    await this.#early?.plan.catch(() => {});
  }

  /** The batches of an epoch with this start that is decided batch by batch, from a step on. */
  async decide(
    { ledger, before, ...start }: Omit<PlannedFrom, "memory">,
    {
      decided,
      underWay,
      step,
      score,
      listen,
    }: Pick<DecidedInputs, "decided" | "underWay" | "step" | "score" | "listen">,
  ): Promise<DecidedSource> {
    const { epoch, step: firstStep } = start;
    const { config, seed, session, split, length, labels, mostBatches = Number.POSITIVE_INFINITY } = this.#inputs;
    const order = orderIn(length, this.#inputs.order, start);
    const { opened } = session;
    const { eligible } = split;
    const { sizes, batches } = this.#batches(start);
    const where = `order ${order.name} in epoch ${epoch + 1}`;
    this.#refuseTooSmall(batches, where);
    const placebo = placeboOf(config.order.ledger, ledger, eligible, { seed, epoch });
    const inputs = {
      ...{ seed, epoch, epochs: sizes.epochs, step: firstStep, labels, eligible, sizes, memory: decided.memory },
      ...{ classCount: opened.classNames.length, ledger: placebo?.view ?? ledger },
    };
    const drawn = decided.indices.subarray(0, batches.offsets[decided.count]);
    const orderUnderWay = await calling(where, () => order.beginBatches(inputs, drawn));
    const place = { seed, epoch, step, mostBatches: mostBatches - firstStep };
    const chargesCandidates = config.budget?.forwardEquivalents !== undefined;
    const known = { ledger, placebo, before, n: labels.length, eligible, chargesCandidates };
    const given = { order, orderUnderWay, decided, underWay, batches, score, listen };
    return new DecidedSource({ ...place, ...known, ...given });
  }

  /** Samples of an epoch that is decided batch by batch. */
  samplesOf(start: Before): number {
    const { offsets } = this.#batches(start).batches;
    return offsets[offsets.length - 1];
  }

  /** What the order keeps, apart from what it kept before; all zero where it was not asked yet. */
  memoryAfter(kept: OrderMemory | null): Promise<OrderMemory> {
    const { order, labels } = this.#inputs;
    const { length } = labels;
    return kept === null
      ? calling(`the memory of order ${order.name}`, () => order.allocateMemory(length))
      : Promise.resolve(copyOf(kept));
  }

  /** Of an epoch in batches that are as large as the rule says. */
  #batches(start: Before) {
    const { config } = this.#inputs;
    const { epoch } = start;
    const sizes = this.#sizes(start);
    const size = sizesOf(sizes, epoch);
    return { sizes, batches: batchesIn(config, { epoch, sizes, offsets: cut(sizes.samples, size) }, size) };
  }

  #sizes(before: Before): RunSizes {
    const { config, order, split, length } = this.#inputs;
    return sizesIn(config, orderIn(length, order, before), { length, before, eligibleCount: split.eligible.length });
  }

  #refuseTooSmall(batches: Pick<Batches, "offsets">, where: string): void {
    const { session, config } = this.#inputs;
    const limits = { leastBatchSize: session.opened.leastBatchSize, microBatch: config.microBatch };
    refuseTooSmall(batches, limits, where);
  }

  /** That the plan which is made early took; 0 until it is made. */
  get earlySeconds(): number {
    return this.#early?.seconds ?? 0;
  }

  async #make({ ledger, memory: kept, before, ...start }: PlannedFrom): Promise<PlannedEpoch> {
    const began = performance.now();
    const { epoch, step } = start;
    const { config, seed, session, split, length, labels, mostBatches } = this.#inputs;
    const order = orderIn(length, this.#inputs.order, start);
    const { opened } = session;
    const memory = await this.memoryAfter(kept);
    const made = await makePlan(config, order, {
      ...{ seed, epoch, step, labels, ledger, memory },
      classCount: opened.classNames.length,
      eligible: split.eligible,
      before: before ?? undefined,
      run: this.#sizes(start),
    });
    const plan = mostBatches === undefined ? made.plan : firstBatches(made.plan, mostBatches - step);
    this.#refuseTooSmall(plan, `order ${order.name} in epoch ${epoch + 1}`);
    return { ...made, plan, epoch, memory, hashes: planHashes(plan), seconds: secondsSince(began) };
  }
}
