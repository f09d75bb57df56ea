import { createHash } from "node:crypto";
import { exactJson } from "../exact-json.js";

/** SHA-256 of the bytes of these arrays, one after another, in hex. */
export function sha256(...arrays: readonly (ArrayBufferView | undefined)[]): string {
  const hash = createHash("sha256");
  for (const array of arrays) {
    if (array !== undefined) hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  }
  return hash.digest("hex");
}

/**
 * SHA-256 of a value as JSON with sorted keys: equal values, equal hashes, whatever the order of their keys. NaN, each
 * infinity, null, 1 and 1.0 are all different.
 */
export const hashValue = (value: unknown): string =>
  createHash("sha256")
    .update(exactJson(value, { sorted: true, nonFinite: "bare" }))
    .digest("hex");
