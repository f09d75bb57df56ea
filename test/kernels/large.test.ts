import { describe, expect, test } from "vitest";
import { argsort } from "../../src/kernels/argsort.js";
import { random } from "../../src/kernels/random.js";
import { shuffled } from "../../src/kernels/shuffle.js";
import { weightedSample } from "../../src/kernels/weighted-sample.js";

// 2^25 samples, twice as many as torch.multinomial takes. Takes about a gigabyte and half a minute:
//   IBATCH_LARGE_TESTS=1 npx vitest run test/kernels/large.test.ts
describe.runIf(process.env.IBATCH_LARGE_TESTS)("2^25 samples", () => {
  const n = 2 ** 25;
  // Ties among them: 24 bits of a key for 25 bits of samples.
  const keys = new Float32Array(n);
  const numbers = random(0, "noise", 0);
  for (let i = 0; i < n; i++) keys[i] = (1 + (numbers.uint32() >>> 8)) * 2 ** -24;

  const isPermutation = (order: Uint32Array) => {
    const seen = new Uint8Array(n);
    for (const index of order) seen[index] = 1;
    return seen.indexOf(0) === -1;
  };

  test("argsort", () => {
    const order = argsort(keys);
    let faults = 0;
    for (let i = 1; i < n; i++) {
      const [a, b] = [order[i - 1], order[i]];
      if (!(keys[a] < keys[b] || (keys[a] === keys[b] && a < b))) faults++;
    }
    expect(faults).toBe(0);
    expect(isPermutation(order)).toBe(true);
  });

  test("weightedSample, of all and of some", () => {
    const all = weightedSample(keys, n, random(1, "order", 0));
    expect(isPermutation(all.indices)).toBe(true);
    const some = weightedSample(keys, n >> 4, random(1, "order", 0));
    expect(Buffer.compare(Buffer.from(some.indices.buffer), Buffer.from(all.indices.buffer, 0, n >> 2))).toBe(0);
  });

  test("shuffled", () => {
    expect(isPermutation(shuffled(Uint32Array.from(keys.keys()), random(1, "order", 0)))).toBe(true);
  });
});
