/** `argsort` as its definition reads: the reference that the fast form is tested against. */
import type { Direction } from "../argsort.js";
import { checkLength } from "../checks.js";

export function argsort(
  keys: Readonly<Float32Array>,
  direction: Direction = "ascending",
  out = new Uint32Array(keys.length),
): Uint32Array {
  checkLength("out", out.length, keys.length);
  for (let i = 0; i < out.length; i++) out[i] = i;
  return out.sort(comparison(keys, direction));
}

/** Which of two samples comes first: by key, NaN after all numbers in both directions, equal keys by index. */
export function comparison(keys: Readonly<Float32Array>, direction: Direction): (a: number, b: number) => number {
  const sign = direction === "ascending" ? 1 : -1;
  return (a, b) => {
    const x = keys[a];
    const y = keys[b];
    if (x < y) return -sign;
    if (x > y) return sign;
    return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a - b;
  };
}
