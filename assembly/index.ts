/**
 * The numeric kernels, compiled to dist/kernels/kernels.wasm. AssemblyScript: TypeScript's grammar, numbers of
 * WebAssembly's types, and here nothing but those and plain memory: no objects, no allocation, no collector.
 *
 * The caller (src/kernels/module.ts) lays out the memory from `heapBase()` on and passes addresses. Every array starts
 * at a multiple of 16 bytes and is followed by room up to the next, so that vectors may run over its end.
 */
export { argsort } from "./argsort";
export { argsortWithin } from "./argsort-within";
export { scatterPiece, shuffleBucket, startShuffle } from "./shuffle";
export { topK } from "./top-k";
export {
  largestWeightBits,
  positiveWeights,
  smallestWeightBits,
  weightedKeys,
  weightedSample,
} from "./weighted-sample";

export function heapBase(): usize {
  return __heap_base;
}
