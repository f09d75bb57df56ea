import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chiSquare, chiSquareBounds } from "../../kernels/chi-square.js";
import { batchesOf, classesOf, countsOf, LABELS, sorted, written } from "./run-order.js";

const problems = fc.record({
  labels: fc.uint32Array({ min: 0, max: 4, minLength: 1, maxLength: 60 }),
  sizes: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }),
  seed: fc.nat(),
});

describe("heterogeneous, balanced", () => {
  test("11 samples in batches of 3: the whole batches differ by at most one in every class", () => {
    const batches = batchesOf("heterogeneous");
    expect(batches.map((batch) => batch.length)).toEqual([3, 3, 3, 2]);
    // Of 5, 4 and 2 the nine places of the whole batches take 4.1, 3.3 and 1.6, up or down: here
    // 5, 3 and 1, dealt to the three of them; 0, 1 and 1 are left for the last.
    expect(batches.map((batch) => countsOf(batch, LABELS, 3).join(""))).toEqual(["210", "111", "210", "011"]);
    expect(sorted(batches)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(written(batches)).toBe("7,1,0 | 2,3,9 | 10,5,6 | 4,8");
  });

  test("batches of one size differ by at most one in every class, whatever the sizes", () => {
    fc.assert(
      fc.property(problems, ({ labels, sizes, seed }) => {
        const size = (batch: number) => sizes[batch % sizes.length];
        const batches = batchesOf("heterogeneous", { labels, classCount: 5, size, seed });
        for (let c = 0; c < 5; c++) {
          const countsBySize = new Map<number, number[]>();
          for (const batch of batches) {
            const counts = countsBySize.get(batch.length) ?? [];
            countsBySize.set(batch.length, [...counts, countsOf(batch, labels, 5)[c]]);
          }
          for (const counts of countsBySize.values()) {
            expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
          }
        }
        expect(sorted(batches)).toEqual([...labels.keys()]);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test("with one size, the whole batches together and the short one hold floor or ceil of each class's share", () => {
    fc.assert(
      fc.property(problems, ({ labels, sizes: [k], seed }) => {
        const batches = batchesOf("heterogeneous", { labels, classCount: 5, size: k, seed });
        const all = countsOf([...labels.keys()], labels, 5);
        const whole = batches.filter((batch) => batch.length === k).flat();
        const short = batches.filter((batch) => batch.length < k).flat();
        for (const part of [whole, short]) {
          const counts = countsOf(part, labels, 5);
          for (let c = 0; c < 5; c++) {
            const share = (part.length * all[c]) / labels.length;
            expect(counts[c] === Math.floor(share) || counts[c] === Math.ceil(share)).toBe(true);
          }
        }
      }),
      { seed: 3 },
    );
  });

  test("sizes that all differ: each batch takes floor or ceil of each class's share of what remains", () => {
    const labels = Uint32Array.from({ length: 91 }, (_, i) => (i < 50 ? 0 : i < 80 ? 1 : 2));
    for (let seed = 0; seed < 50; seed++) {
      let left = [50, 30, 11];
      for (const batch of batchesOf("heterogeneous", { labels, classCount: 3, size: (b) => b + 1, seed })) {
        const total = left.reduce((sum, count) => sum + count, 0);
        const taken = countsOf(batch, labels, 3);
        for (let c = 0; c < 3; c++) {
          const share = (batch.length * left[c]) / total;
          expect(taken[c] === Math.floor(share) || taken[c] === Math.ceil(share)).toBe(true);
        }
        left = left.map((count, c) => count - taken[c]);
      }
    }
  });

  test("equal classes that divide the batch: every batch has the same number of each", () => {
    const labels = Uint32Array.from({ length: 120 }, (_, i) => i % 4);
    for (const batch of batchesOf("heterogeneous", { labels, classCount: 4, size: 12 })) {
      expect(countsOf(batch, labels, 4)).toEqual([3, 3, 3, 3]);
    }
  });

  test("unequal classes: no tail of the large one; 90 to 10 stays 9 to 1 to the end", () => {
    const labels = Uint32Array.from({ length: 100 }, (_, i) => (i < 90 ? 0 : 1));
    for (const batch of batchesOf("heterogeneous", { labels, classCount: 2, size: 10 })) {
      expect(countsOf(batch, labels, 2)).toEqual([9, 1]);
    }
  });

  test("no class is favoured: over seeds, each of 5 equal classes is in each whole batch of 2 equally often", () => {
    const labels = Uint32Array.from({ length: 25 }, (_, i) => i % 5);
    const counts = new Float64Array(12 * 5);
    const pairs = new Map<string, number>();
    for (let seed = 0; seed < 4000; seed++) {
      const batches = batchesOf("heterogeneous", { labels, classCount: 5, size: 2, seed });
      for (const [b, batch] of batches.slice(0, 12).entries()) {
        for (const index of batch) counts[5 * b + labels[index]]++;
      }
      const pair = batches[0].map((index) => labels[index]).sort();
      pairs.set(pair.join(), (pairs.get(pair.join()) ?? 0) + 1);
    }
    // 12 · 4 degrees, rows and columns being fixed; dealt without replacement the counts spread less.
    expect(chiSquare(counts)).toBeLessThan(chiSquareBounds(12 * 4).high);
    // Nor do two classes go together more than others: all ten pairs come, equally often.
    expect(pairs.size).toBe(10);
    expect(chiSquare(pairs.values())).toBeLessThan(chiSquareBounds(9).high);
  });

  test("no sample is favoured: over seeds, each is in the short last batch equally often", () => {
    const labels = Uint32Array.from({ length: 31 }, (_, i) => (i < 1 ? 0 : i < 11 ? 1 : 2));
    const counts = new Float64Array(31);
    for (let seed = 0; seed < 6000; seed++) {
      const batches = batchesOf("heterogeneous", { labels, classCount: 3, size: 9, seed });
      for (const index of batches[3]) counts[index]++;
    }
    expect(chiSquare(counts)).toBeLessThan(chiSquareBounds(30).high);
  });

  test("within a batch the classes come in no sequence of their own", () => {
    const labels = Uint32Array.from({ length: 4 }, (_, i) => i % 2);
    const seen = new Map<string, number>();
    for (let seed = 0; seed < 3000; seed++) {
      const batches = batchesOf("heterogeneous", { labels, classCount: 2, size: 4, seed });
      const classes = classesOf(batches, labels).join();
      seen.set(classes, (seen.get(classes) ?? 0) + 1);
    }
    expect(seen.size).toBe(6);
    expect(chiSquare(seen.values())).toBeLessThan(36); // 5 degrees: once in a million
  });
});

describe("heterogeneous, round robin", () => {
  const options = { interleave: "round-robin" };

  test("11 samples in batches of 3: one of each class while they last, the large ones in the tail", () => {
    const batches = batchesOf("heterogeneous", { options });
    expect(classesOf(batches)).toEqual(["012", "012", "010", "10"]);
    expect(sorted(batches)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(written(batches)).toBe("5,9,3 | 7,6,8 | 2,1,10 | 4,0");
  });

  test("reshuffles within each class from epoch to epoch", () => {
    const epochs = [0, 1, 2, 3].map((epoch) => batchesOf("heterogeneous", { options, epoch }));
    expect(new Set(epochs.map((batches) => batches.join())).size).toBe(4);
    for (const batches of epochs) expect(classesOf(batches)).toEqual(["012", "012", "010", "10"]);
  });

  test("turn by turn, the classes that still have samples come in class order", () => {
    fc.assert(
      fc.property(problems, ({ labels, seed }) => {
        const sequence = batchesOf("heterogeneous", { labels, classCount: 5, seed, options }).flat();
        const turns = sequence.map((index, place) => {
          const before = sequence.slice(0, place).filter((other) => labels[other] === labels[index]).length;
          return 5 * before + labels[index];
        });
        expect(turns).toEqual([...turns].sort((a, b) => a - b));
      }),
      { seed: 2 },
    );
  });
});
