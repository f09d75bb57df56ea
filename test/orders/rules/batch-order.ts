import { allocateMemory, batchContext } from "../../../src/orders/context.js";
import type { MemoryArray, OrderResult, Pool } from "../../../src/orders/contract.js";
import { findOrder } from "../../../src/orders/index.js";
import { batchBy } from "../../../src/orders/ordered.js";
import { ledgerWith } from "./run-order.js";

export interface BatchOf {
  readonly options?: Record<string, unknown>;
  readonly count: number;
  readonly step?: number;
  readonly seed?: number;
  /** What the epoch has drawn already. */
  readonly drawn?: readonly number[];
  /** How many of them are still to be learned of. */
  readonly pending?: number;
  readonly epoch?: number;
  readonly epochs?: number;
  /** Its candidates, of an order that has them scored. */
  readonly pool?: Pool;
  /** What it reads of earlier runs, one value a sample. */
  readonly scores?: Float32Array;
  readonly memory?: Readonly<Record<string, MemoryArray>>;
}

/** A batch of the named order, of samples with these losses, all of one class; NaN is never seen. */
export function batchOf(
  name: string,
  losses: readonly number[],
  {
    options = {},
    count,
    step = 0,
    seed = 0,
    drawn = [],
    pending = 0,
    epoch = 0,
    epochs = 1,
    pool,
    scores,
    memory,
  }: BatchOf,
): OrderResult {
  const definition = findOrder(name);
  const times = new Uint32Array(losses.length);
  for (const index of drawn) times[index] += 1;
  const inputs = {
    ...{ seed, epoch, epochs, labels: new Uint32Array(losses.length), classCount: 1, size: count },
    memory: memory ?? allocateMemory(definition.memory ?? {}, losses.length),
    ...{ ledger: ledgerWith(losses), options: definition.options.parse(options), scores },
  };
  const indices = Uint32Array.from(drawn);
  const place = {
    ...{ batch: 0, step, count, share: drawn.length / losses.length, pool },
    drawn: { indices, times, pending: indices.slice(drawn.length - pending) },
  };
  const ordered = batchBy(definition, batchContext(inputs, place));
  if ("fault" in ordered) throw new Error(ordered.fault.seen);
  return ordered.result;
}
