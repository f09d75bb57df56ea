import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { random } from "../../src/kernels/random.js";
import { stratifiedSample } from "../../src/kernels/stratified.js";
import { chiSquare } from "./chi-square.js";

const countOf = (sample: Iterable<number>, labels: Uint32Array, c: number) =>
  [...sample].filter((index) => labels[index] === c).length;

const problems = fc
  .record({
    labels: fc.uint32Array({ min: 0, max: 6, minLength: 1, maxLength: 80 }),
    seed: fc.nat(),
    skip: fc.integer({ min: 0, max: 3 }),
  })
  .chain(({ labels, seed, skip }) => {
    const indices = Uint32Array.from(labels.keys()).filter((index) => skip === 0 || index % 4 !== skip);
    return fc.record({
      labels: fc.constant(labels),
      seed: fc.constant(seed),
      indices: fc.constant(indices),
      size: fc.integer({ min: 0, max: indices.length }),
    });
  });

describe("stratifiedSample", () => {
  test("of 11 samples in classes of 5, 4 and 2 takes 5: two or three, one or two, none or one", () => {
    const labels = Uint32Array.of(0, 1, 0, 2, 1, 0, 1, 0, 2, 1, 0);
    const sample = stratifiedSample(Uint32Array.from(labels.keys()), labels, 3, 5, random(0, "subset", 0));
    expect([0, 1, 2].map((c) => countOf(sample, labels, c))).toEqual([2, 2, 1]);
    expect(sample.join()).toBe("0,1,3,5,6");
  });

  test("is `size` of the indices, ascending, each class floor or ceil of its share; inputs stay as they are", () => {
    fc.assert(
      fc.property(problems, ({ labels, indices, size, seed }) => {
        const before = [indices.join(), labels.join()];
        const sample = stratifiedSample(indices, labels, 7, size, random(seed, "subset", 0));
        expect(sample.length).toBe(size);
        expect(sample.every((index, i) => indices.includes(index) && (i === 0 || index > sample[i - 1]))).toBe(true);
        for (let c = 0; c < 7; c++) {
          const share = (size * countOf(indices, labels, c)) / indices.length;
          const taken = countOf(sample, labels, c);
          expect(taken === Math.floor(share) || taken === Math.ceil(share)).toBe(true);
        }
        expect([indices.join(), labels.join()]).toEqual(before);
      }),
      { seed: 1 },
    );
  });

  test("equal inputs give equal bits, another seed another sample", () => {
    const labels = Uint32Array.from({ length: 200 }, (_, i) => i % 5);
    const indices = Uint32Array.from(labels.keys());
    const sampleOf = (seed: number) => stratifiedSample(indices, labels, 5, 50, random(seed, "subset", 0));
    expect(sampleOf(1)).toEqual(sampleOf(1));
    expect(sampleOf(1)).not.toEqual(sampleOf(2));
  });

  test("over seeds, every sample is chosen equally often, in small classes as in large ones", () => {
    const labels = Uint32Array.from([...Array(3).fill(0), ...Array(10).fill(1), ...Array(27).fill(2)]);
    const indices = Uint32Array.from(labels.keys());
    const counts = new Float64Array(40);
    for (let seed = 0; seed < 8000; seed++) {
      for (const index of stratifiedSample(indices, labels, 3, 7, random(seed, "subset", 0))) counts[index]++;
    }
    // Drawn without replacement the counts spread less than chi-square's; 100 is once in a million at 39 degrees.
    expect(chiSquare(counts)).toBeLessThan(100);
  });

  test("takes nothing, or everything", () => {
    const labels = Uint32Array.of(1, 0, 1);
    const indices = Uint32Array.of(0, 1, 2);
    expect([...stratifiedSample(indices, labels, 2, 0, random(0, "subset", 0))]).toEqual([]);
    expect([...stratifiedSample(indices, labels, 2, 3, random(0, "subset", 0))]).toEqual([0, 1, 2]);
    expect([...stratifiedSample(new Uint32Array(0), labels, 2, 0, random(0, "subset", 0))]).toEqual([]);
  });

  test("refuses to choose more than there are", () => {
    expect(() => stratifiedSample(Uint32Array.of(0, 1), Uint32Array.of(0, 0), 1, 3, random(0, "subset", 0))).toThrow(
      new RangeError("cannot choose 3 of 2 samples"),
    );
  });
});
