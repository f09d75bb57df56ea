import { createHash } from "node:crypto";

/** SHA-256 of the bytes of these arrays, one after another, in hex. */
export function sha256(...arrays: readonly (ArrayBufferView | undefined)[]): string {
  const hash = createHash("sha256");
  for (const array of arrays) {
    if (array !== undefined) hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  }
  return hash.digest("hex");
}

/** SHA-256 of a value as JSON with sorted keys: equal values, equal hashes, whatever the order of their keys. */
export function hashValue(value: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(sortKeys(value)))
    .digest("hex");
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sortKeys(inner)]));
}
