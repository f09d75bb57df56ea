// Chance that can be repeated: equal seeds and names, equal numbers.
import { createHash } from "node:crypto";

export class Random {
  #state;

  /** @param {...(string | number)} names what it is for */
  constructor(...names) {
    this.#state = createHash("sha256").update(names.join("/")).digest().readUInt32LE(0);
  }

  /** In [0, 1): mulberry32. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  between(from, to) {
    return from + (to - from) * this.next();
  }

  /** An integer in [0, count). */
  below(count) {
    return Math.floor(count * this.next());
  }

  pick(values) {
    return values[this.below(values.length)];
  }
}
