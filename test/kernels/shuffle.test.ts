import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { random } from "../../src/kernels/random.js";
import { shuffle, shuffled } from "../../src/kernels/shuffle.js";
import { chiSquare, chiSquareBounds } from "./chi-square.js";

const arrays = fc.uint32Array({ maxLength: 50 });

describe("shuffle", () => {
  test("is a permutation: the same values, each as often", () => {
    fc.assert(
      fc.property(arrays, fc.nat(), (values, seed) => {
        expect(shuffled(values, random(seed, "order", 0)).sort()).toEqual(values.slice().sort());
      }),
      { seed: 1 },
    );
  });

  test("of a part leaves the rest where it is", () => {
    const values = Uint32Array.from({ length: 100 }, (_, i) => i);
    shuffle(values, random(0, "order", 0), 20, 80);
    expect([...values.subarray(0, 20)]).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect([...values.subarray(80)]).toEqual(Array.from({ length: 20 }, (_, i) => 80 + i));
    expect([...values.subarray(20, 80)]).not.toEqual(Array.from({ length: 60 }, (_, i) => 20 + i));
    expect([...values.slice(20, 80).sort()]).toEqual(Array.from({ length: 60 }, (_, i) => 20 + i));
  });

  test("of a copy leaves the original, and writes where told", () => {
    const values = Uint32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const out = new Uint32Array(8);
    expect(shuffled(values, random(3, "order", 0), out)).toBe(out);
    expect([...values]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...out]).not.toEqual([...values]);
  });

  test.each([0, 1])("of %d values changes nothing", (length) => {
    const values = new Uint32Array(length).fill(7);
    expect(shuffled(values, random(0, "order", 0))).toEqual(values);
  });

  // A shuffle that leaves the seed (or the epoch) out of its key passes every "is a permutation" test.
  describe.each([
    { over: "seeds", place: (i: number) => random(i, "order", 0) },
    { over: "epochs", place: (i: number) => random(0, "order", i) },
    { over: "seeds far apart", place: (i: number) => random((i * 2654435761) % 2 ** 32, "order", 3) },
  ])("over $over", ({ place }) => {
    test.each([
      { length: 4, permutations: 24 },
      { length: 5, permutations: 120 },
    ])("all $permutations sequences of $length are equally likely", ({ length, permutations }) => {
      const values = Uint32Array.from({ length }, (_, i) => i);
      const out = new Uint32Array(length);
      const counts = new Map<string, number>();
      for (let i = 0; i < 200 * permutations; i++) {
        const sequence = shuffled(values, place(i), out).join("");
        counts.set(sequence, (counts.get(sequence) ?? 0) + 1);
      }
      expect(counts.size).toBe(permutations);
      const statistic = chiSquare(counts.values());
      const { low, high } = chiSquareBounds(permutations - 1);
      expect(statistic).toBeGreaterThan(low);
      expect(statistic).toBeLessThan(high);
    });
  });

  test("in 40 places, every value is in every place equally often over seeds", () => {
    const values = Uint32Array.from({ length: 40 }, (_, i) => i);
    const out = new Uint32Array(40);
    const counts = new Float64Array(40 * 40);
    for (let seed = 0; seed < 4000; seed++) {
      shuffled(values, random(seed, "order", 0), out);
      for (let place = 0; place < 40; place++) counts[40 * place + out[place]]++;
    }
    // 39 · 39 degrees: rows and columns are fixed.
    const { low, high } = chiSquareBounds(39 * 39);
    expect(chiSquare(counts)).toBeGreaterThan(low);
    expect(chiSquare(counts)).toBeLessThan(high);
  });
});
