/** `topK` as its definition reads: sort everything, keep the first k. */
import type { Direction } from "../argsort.js";
import { checkCount, checkLength } from "../checks.js";
import { argsort } from "./argsort.js";

export function topK(keys: Readonly<Float32Array>, k: number, direction: Direction, out?: Uint32Array): Uint32Array {
  checkCount(k, keys.length);
  const chosen = out ?? new Uint32Array(k);
  checkLength("out", chosen.length, k);
  chosen.set(argsort(keys, direction).subarray(0, k));
  return chosen;
}
