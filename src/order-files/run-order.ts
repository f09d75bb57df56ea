/** An order with its options, as a run asks it: ours in this thread, one in a user's file in a thread of its own. */
import { batchSizes, type ChosenBatching } from "../batching/index.js";
import { allocateMemory, type OrderInputs, orderContext } from "../orders/context.js";
import type { MemoryArray, OrderContext, OrderDefinition } from "../orders/contract.js";
import { type Declared, declaredBy } from "../orders/declared.js";
import { type Ordered, orderedBy } from "../orders/ordered.js";

/** Sizes of an epoch's batches: one for all, or as a batching rule has them. */
export type Sizes = number | { readonly batching: ChosenBatching; readonly epochs: number; readonly samples: number };

/** What an order is told before an epoch: plain data, so that it can go to another thread. */
export interface EpochInputs extends Required<Omit<OrderInputs<unknown>, "options" | "size">> {
  readonly sizes: Sizes;
}

export interface RunOrder extends Declared {
  readonly name: string;
  readonly readsLedger: boolean;
  /** The arrays that it declares, for n samples, all zero. */
  allocateMemory(n: number): Promise<Readonly<Record<string, MemoryArray>>>;
  /** What it makes of an epoch; what it keeps is in `memory`, which it changes in place. Throws what it throws. */
  order(inputs: EpochInputs): Promise<Ordered>;
  /**
   * The run needs it no more.
   * @throws IbatchError of kind `run` where it failed after it had returned its last result.
   */
  end(): Promise<void>;
  /** As `end`, for a run that is lost anyway. */
  stop(): Promise<void>;
}

/** One of ours. */
export function ownOrder(definition: OrderDefinition, options: Readonly<Record<string, unknown>>): RunOrder {
  const { name, readsLedger, memory = {} } = definition;
  return {
    ...{ name, readsLedger },
    ...declaredBy(definition, options),
    allocateMemory: async (n) => allocateMemory(memory, n),
    order: async (inputs) => orderedBy(definition, epochContext(inputs, options)),
    end: async () => {},
    stop: async () => {},
  };
}

export function epochContext<Options>(inputs: EpochInputs, options: Options): OrderContext<Options> {
  return orderContext({ ...inputs, options, size: sizesOf(inputs.sizes, inputs.epoch) });
}

/** Size of each batch of an epoch, by its number. */
export function sizesOf(sizes: Sizes, epoch: number): (batch: number) => number {
  return typeof sizes === "number" ? () => sizes : batchSizes(sizes.batching, { ...sizes, epoch });
}
