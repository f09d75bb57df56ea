import type { OrderResult } from "./contract.js";

export function sameBits(a: OrderResult, b: OrderResult): boolean {
  return (
    sameArray(a.indices, b.indices) &&
    sameArray(a.offsets, b.offsets) &&
    sameArray(a.weights, b.weights) &&
    sameArray(a.inclusion, b.inclusion) &&
    sameArray(a.probabilities, b.probabilities) &&
    a.effectiveDataSize === b.effectiveDataSize
  );
}

/** Equal in every byte, so that NaN is NaN and 0 is not -0. */
export function sameArray(a: ArrayBufferView | undefined, b: ArrayBufferView | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const [bytesA, bytesB] = [a, b].map(({ buffer, byteOffset, byteLength }) =>
    Buffer.from(buffer, byteOffset, byteLength),
  );
  return bytesA.equals(bytesB);
}
