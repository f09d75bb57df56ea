/** The public API. What a TypeScript program can do today: write an order, hold it to the contract, look at what it does. */

export { countClasses, type Grouped, groupByClass } from "./kernels/classes.js";
export { interleave } from "./kernels/interleave.js";
export { type Random, random, STREAMS, type Stream } from "./kernels/random.js";
export { shuffle, shuffled } from "./kernels/shuffle.js";
export { stratifiedSample } from "./kernels/stratified.js";
export { checkOrder, type Finding } from "./orders/conformance.js";
export { orderContext } from "./orders/context.js";
export {
  type Coverage,
  cut,
  defineOrder,
  type LedgerView,
  type OrderContext,
  type OrderDefinition,
  type OrderResult,
} from "./orders/contract.js";
