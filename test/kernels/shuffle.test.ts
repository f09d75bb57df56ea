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

  // From 256 values on there are several buckets.
  test.each([
    { over: "seeds", place: (i: number) => random(i, "order", 0) },
    { over: "epochs", place: (i: number) => random(0, "order", i) },
  ])("in 300 places, every value is in every place equally often over $over", ({ place }) => {
    const n = 300;
    const values = Uint32Array.from({ length: n }, (_, i) => i);
    const out = new Uint32Array(n);
    const counts = new Float64Array(n * n);
    for (let i = 0; i < 6000; i++) {
      shuffled(values, place(i), out);
      for (let at = 0; at < n; at++) counts[n * at + out[at]]++;
    }
    const { low, high } = chiSquareBounds((n - 1) * (n - 1));
    expect(chiSquare(counts)).toBeGreaterThan(low);
    expect(chiSquare(counts)).toBeLessThan(high);
  });

  test("the first two of 300 are every ordered pair equally often: 20 by 20 cells over seeds", () => {
    const values = Uint32Array.from({ length: 300 }, (_, i) => i);
    const out = new Uint32Array(300);
    const counts = new Float64Array(400);
    for (let seed = 0; seed < 40_000; seed++) {
      shuffled(values, random(seed, "order", 0), out);
      counts[20 * (out[0] % 20) + (out[1] % 20)]++;
    }
    // A value in the first place cannot be in the second, which makes cells of one residue a 15th rarer.
    const expected = (cell: number) => (cell % 21 === 0 ? 15 * 14 : 15 * 15) * (40_000 / (300 * 299));
    const statistic = counts.reduce((sum, count, cell) => sum + (count - expected(cell)) ** 2 / expected(cell), 0);
    const { low, high } = chiSquareBounds(399);
    expect(statistic).toBeGreaterThan(low);
    expect(statistic).toBeLessThan(high);
  });

  test("of any length is a permutation", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5000 }), fc.nat(), (length, seed) => {
        const values = Uint32Array.from({ length }, (_, i) => i);
        const sorted = shuffled(values, random(seed, "order", 0)).sort();
        expect(Buffer.compare(Buffer.from(sorted.buffer), Buffer.from(values.buffer))).toBe(0);
      }),
      {
        seed: 2,
        examples: [
          [255, 0],
          [256, 0],
          [257, 0],
        ],
      },
    );
  });

  test("into its own array", () => {
    const values = Uint32Array.from({ length: 1000 }, (_, i) => i);
    const expected = shuffled(values, random(2, "order", 0));
    expect(shuffled(values, random(2, "order", 0), values)).toBe(values);
    expect(values).toEqual(expected);
  });

  test("twice with one object gives two sequences, whatever single numbers come between", () => {
    const values = Uint32Array.from({ length: 100 }, (_, i) => i);
    const alone = random(0, "order", 0);
    const mixed = random(0, "order", 0);
    const [first, second] = [shuffled(values, alone), shuffled(values, alone)];
    mixed.uint32();
    expect(shuffled(values, mixed)).toEqual(first);
    mixed.below(7);
    expect(shuffled(values, mixed)).toEqual(second);
    expect(first).not.toEqual(second);
  });

  test("refuses an `out` of another length", () => {
    expect(() => shuffled(new Uint32Array(3), random(0, "order", 0), new Uint32Array(2))).toThrow(
      new RangeError("out has 2 entries, expected 3"),
    );
  });
});
