import type { Random } from "./random.js";

/** Fisher–Yates in place on values[start … end-1]: every sequence of them is equally likely. */
export function shuffle(values: Uint32Array, random: Random, start = 0, end = values.length): void {
  for (let last = end - 1; last > start; last--) {
    const chosen = start + random.below(last - start + 1);
    const value = values[last];
    values[last] = values[chosen];
    values[chosen] = value;
  }
}

/** A shuffled copy, into `out` (of the same length) where given. */
export function shuffled(
  values: Readonly<Uint32Array>,
  random: Random,
  out = new Uint32Array(values.length),
): Uint32Array {
  out.set(values);
  shuffle(out, random);
  return out;
}
