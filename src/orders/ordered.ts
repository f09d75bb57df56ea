/** What an order returns, taken over as soon as it returns it: arrays of its own making may be changed later. */
import type { OrderContext, OrderDefinition, OrderResult } from "./contract.js";
import { type ResultFault, typeFault } from "./result-check.js";

/** A copy of the result; or, where it has not the right types, what is wrong with it. */
export type Ordered = { readonly result: OrderResult } | { readonly fault: ResultFault };

/** Asks an order for an epoch. Throws what it throws. */
export function orderedBy<Options>(definition: OrderDefinition<Options>, context: OrderContext<Options>): Ordered {
  const result = definition.order(context);
  const fault = typeFault(result);
  return fault === undefined ? { result: copied(result) } : { fault };
}

/** Into buffers of their own, whatever memory they lie in: shared with another thread, resizable, or one for all. */
function copied({ indices, offsets, weights, inclusion, probabilities }: OrderResult): OrderResult {
  return {
    indices: new Uint32Array(indices),
    offsets: new Uint32Array(offsets),
    ...(weights && { weights: new Float32Array(weights) }),
    ...(inclusion && { inclusion: new Float64Array(inclusion) }),
    ...(probabilities && { probabilities: new Float64Array(probabilities) }),
  };
}
