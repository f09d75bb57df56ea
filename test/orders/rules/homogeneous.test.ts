import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chiSquare, chiSquareBounds } from "../../kernels/chi-square.js";
import { batchesOf, classesOf, MEMBERS, sorted, written } from "./run-order.js";

/** Labels of a few classes, and sizes of batches that go round. */
const problems = fc.record({
  labels: fc.uint32Array({ min: 0, max: 4, minLength: 1, maxLength: 60 }),
  sizes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
  batches: fc.constantFrom("by-class", "shuffled"),
  seed: fc.nat(),
});
const isPure = (classes: string) => new Set(classes).size === 1;

describe("homogeneous", () => {
  test("11 samples in batches of 3: one batch of class 0, one of class 1, the other five mixed", () => {
    const batches = batchesOf("homogeneous");
    const classes = classesOf(batches);
    expect(classes.slice(0, 2)).toEqual(["000", "111"]);
    expect(batches.map((batch) => batch.length)).toEqual([3, 3, 3, 2]);
    expect([...classes.slice(2).join("")].sort().join("")).toBe("00122");
    expect(sorted(batches)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(written(batches)).toBe("5,7,2 | 9,6,1 | 3,8,10 | 0,4");
  });

  test("11 samples in batches of 3 with short leftovers: five batches, none mixed", () => {
    const batches = batchesOf("homogeneous", { options: { leftovers: "short" } });
    expect(classesOf(batches)).toEqual(["000", "00", "111", "1", "22"]);
    expect([batches.slice(0, 2), batches.slice(2, 4), batches.slice(4)].map(sorted)).toEqual(MEMBERS);
  });

  test("reshuffles within each class from epoch to epoch", () => {
    const options = { leftovers: "short" };
    const epochs = [0, 1, 2, 3].map((epoch) => batchesOf("homogeneous", { options, epoch }).slice(0, 2).flat());
    expect(new Set(epochs.map((epoch) => epoch.join())).size).toBe(4);
    for (const epoch of epochs) expect(sorted([epoch])).toEqual(MEMBERS[0]);
  });

  test("whole batches of one class, then mixed leftovers of fewer than a batch each (batches of one size)", () => {
    fc.assert(
      fc.property(problems, ({ labels, sizes: [k], batches: sequence, seed }) => {
        const options = { batches: sequence };
        const batches = batchesOf("homogeneous", { labels, classCount: 5, size: k, seed, options });
        const sizes = [0, 1, 2, 3, 4].map((c) => labels.filter((label) => label === c).length);
        const whole = sizes.map((size) => Math.floor(size / k));
        const pure = classesOf(batches, labels).slice(
          0,
          whole.reduce((sum, count) => sum + count, 0),
        );
        expect(pure.every((classes) => isPure(classes) && classes.length === k)).toBe(true);
        const expected = whole.flatMap((count, c) => Array<string>(count).fill(String(c).repeat(k)));
        expect(sequence === "by-class" ? pure : pure.sort()).toEqual(expected);
        expect(batches.length).toBe(Math.ceil(labels.length / k));
      }),
      { seed: 1 },
    );
  });

  test("short leftovers: every batch of one class, full but for the last of each class (batches of one size)", () => {
    fc.assert(
      fc.property(problems, ({ labels, sizes: [k], batches: sequence, seed }) => {
        const options = { batches: sequence, leftovers: "short" };
        const batches = batchesOf("homogeneous", { labels, classCount: 5, size: k, seed, options });
        const classes = classesOf(batches, labels);
        expect(classes.every(isPure)).toBe(true);
        for (const c of "01234") {
          const own = classes.filter((batch) => batch[0] === c);
          expect(own.slice(0, -1).every((batch) => batch.length === k)).toBe(true);
        }
        if (sequence === "by-class") expect(classes.join("")).toBe([...classes.join("")].sort().join(""));
      }),
      { seed: 2 },
    );
  });

  test("sizes that differ: each pure batch is as large as asked for by its number, so is each mixed one", () => {
    fc.assert(
      fc.property(problems, ({ labels, sizes, batches: sequence, seed }) => {
        const size = (batch: number) => sizes[batch % sizes.length];
        const options = { batches: sequence };
        const batches = batchesOf("homogeneous", { labels, classCount: 5, size, seed, options });
        expect(batches.slice(0, -1).every((batch, b) => batch.length === size(b))).toBe(true);
        expect(sorted(batches)).toEqual([...labels.keys()]);
      }),
      { seed: 3 },
    );
  });

  test("sizes that differ, by class: a class whose rest is too small is done for", () => {
    // 6 of class 0, 6 of class 1; sizes 4, 4, 2, 2, …: class 0 has 2 left when 4 are asked for, and stays out.
    const labels = Uint32Array.of(0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1);
    const size = (batch: number) => (batch < 2 ? 4 : 2);
    const batches = batchesOf("homogeneous", { labels, classCount: 2, size });
    expect(classesOf(batches, labels)).toEqual(["0000", "1111", "11", "00"]);
  });

  test("shuffled batches: every sequence of them is equally likely", () => {
    // 4 + 2 + 2 samples in batches of 2 are the batches 0, 0, 1, 2: twelve sequences.
    const labels = Uint32Array.of(0, 0, 0, 0, 1, 1, 2, 2);
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 6000; seed++) {
      const options = { batches: "shuffled" };
      const batches = batchesOf("homogeneous", { labels, classCount: 3, size: 2, seed, options });
      const sequence = classesOf(batches, labels).join(" ");
      counts.set(sequence, (counts.get(sequence) ?? 0) + 1);
    }
    expect(counts.size).toBe(12);
    expect(chiSquare(counts.values())).toBeLessThan(chiSquareBounds(11).high);
  });

  test("mixed leftovers are mixed: over seeds, each sample is among them equally often", () => {
    const counts = new Float64Array(10);
    const labels = Uint32Array.of(0, 0, 0, 0, 0, 1, 1, 1, 1, 1);
    for (let seed = 0; seed < 5000; seed++) {
      const last = batchesOf("homogeneous", { labels, classCount: 2, size: 3, seed }).slice(2, 3).flat();
      for (const index of last) counts[index]++;
    }
    expect(chiSquare(counts)).toBeLessThan(40); // 9 degrees: once in a hundred thousand
  });
});
