/** Makes the plans of a run, each from what was known before its epoch; the next one while the backend evaluates. */

import type { ArmConfig } from "../config/config.js";
import type { RunOrder } from "../order-files/run-order.js";
import { type PlanHashes, planHashes } from "../record/run-record.js";
import { secondsSince } from "./clock.js";
import { refuseTooSmall } from "./least-batch.js";
import type { Ledger } from "./ledger.js";
import { calling, makePlan, type Planned } from "./make-plan.js";
import { firstBatches } from "./plan.js";
import type { OrderMemory } from "./run-state.js";
import type { Session } from "./session.js";
import type { Split } from "./split.js";

export interface PlannerInputs {
  readonly config: ArmConfig;
  /** The order that the config names. */
  readonly order: RunOrder;
  readonly seed: number;
  readonly session: Pick<Session, "labels" | "opened">;
  readonly split: Split;
  /** Batches after which the run is over, whatever its epochs; undefined: none. */
  readonly mostBatches?: number | undefined;
}

/** What a plan is made from, beside config, seed and data. */
export interface PlannedFrom {
  readonly epoch: number;
  /** Batches trained on before the epoch. */
  readonly step: number;
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

  /** That the plan which is made early took; 0 until it is made. */
  get earlySeconds(): number {
    return this.#early?.seconds ?? 0;
  }

  async #make({ epoch, step, ledger, memory: kept, before }: PlannedFrom): Promise<PlannedEpoch> {
    const start = performance.now();
    const { config, order, seed, session, split, mostBatches } = this.#inputs;
    const { labels, opened } = session;
    const memory =
      kept === null
        ? await calling(`the memory of order ${order.name}`, () => order.allocateMemory(labels.length))
        : structuredClone(kept);
    const made = await makePlan(config, order, {
      ...{ seed, epoch, step, labels, ledger, memory },
      classCount: opened.classNames.length,
      eligible: split.eligible,
      before: before ?? undefined,
    });
    const plan = mostBatches === undefined ? made.plan : firstBatches(made.plan, mostBatches - step);
    const limits = { leastBatchSize: opened.leastBatchSize, microBatch: config.microBatch };
    refuseTooSmall(plan, limits, `order ${order.name} in epoch ${epoch + 1}`);
    return { ...made, plan, epoch, memory, hashes: planHashes(plan), seconds: secondsSince(start) };
  }
}
