import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { consecutive } from "../../src/kernels/consecutive.js";
import { random } from "../../src/kernels/random.js";
import { shuffled } from "../../src/kernels/shuffle.js";
import { cut } from "../../src/orders/contract.js";
import { ClassComposition } from "../../src/training/class-composition.js";

const of = (labels: readonly number[], classCount = 3, eligible = consecutive(labels.length)) =>
  new ClassComposition(Uint32Array.from(labels), eligible, classCount);

describe("by hand", () => {
  const labels = [0, 0, 0, 0, 1, 1, 2, 2]; // shares 1/2, 1/4, 1/4

  test("batches 0000 and 1122: 1 and 2 classes, each half of the whole apart", () => {
    const { classesPerBatch, classDistance } = of(labels).of(consecutive(8), Uint32Array.of(0, 4, 8));
    expect({ classesPerBatch, classDistance }).toEqual({ classesPerBatch: 1.5, classDistance: 0.5 });
  });

  test("batches like the whole are not apart from it", () => {
    const { classesPerBatch, classDistance } = of(labels).of(
      Uint32Array.of(0, 4, 1, 6, 2, 5, 3, 7),
      Uint32Array.of(0, 4, 8),
    );
    expect({ classesPerBatch, classDistance }).toEqual({ classesPerBatch: 3, classDistance: 0 });
  });

  test("by chance: one of two classes of two samples each, and two of them", () => {
    const [one, two] = [1, 2].map((size) => of([0, 0, 1, 1], 2).of(consecutive(size), Uint32Array.of(0, size)));
    expect([one.classesPerBatchByChance, one.classDistanceByChance]).toEqual([1, 0.5]);
    // Of the six pairs two are of one class: 4/3 classes too few, and half the distance in these.
    expect(two.classesPerBatchByChance).toBeCloseTo(2 - 2 / 6, 14);
    expect(two.classDistanceByChance).toBeCloseTo((2 / 6) * 0.5, 14);
  });

  test("all samples at once, or more than there are: what they are", () => {
    const all = of(labels).of(consecutive(8), Uint32Array.of(0, 8));
    expect(all).toMatchObject({ classesPerBatch: 3, classesPerBatchByChance: 3, classDistance: 0 });
    expect(all.classDistanceByChance).toBeCloseTo(0, 14);
    const twice = of([0, 1], 2).of(Uint32Array.of(0, 1, 0, 1), Uint32Array.of(0, 4));
    expect(twice).toMatchObject({ classesPerBatch: 2, classesPerBatchByChance: 2, classDistance: 0 });
  });

  test("a class without an eligible sample has no share", () => {
    const { classesPerBatchByChance, classDistance } = of([0, 0, 1, 2], 3, Uint32Array.of(0, 1)).of(
      Uint32Array.of(0, 1),
      Uint32Array.of(0, 2),
    );
    expect({ classesPerBatchByChance, classDistance }).toEqual({ classesPerBatchByChance: 1, classDistance: 0 });
  });
});

test("a shuffle's batches are as chance has them", () => {
  const labels = Array.from({ length: 6000 }, (_, index) => (index < 3000 ? 0 : index % 10));
  const batches = cut(6000, () => 24);
  const { classesPerBatch, classesPerBatchByChance, classDistance, classDistanceByChance } = of(labels, 10).of(
    shuffled(consecutive(6000), random(0, "order", 0)),
    batches,
  );
  expect(classesPerBatch / classesPerBatchByChance).toBeCloseTo(1, 1.5);
  expect(classDistance / classDistanceByChance).toBeCloseTo(1, 1.5);
});

test("no sizes and shares give less than no distance, or more classes than there are", () => {
  const counts = fc.array(fc.nat(60), { minLength: 2, maxLength: 6 }).filter((all) => all.some((count) => count > 0));
  fc.assert(
    fc.property(counts, fc.integer({ min: 1, max: 80 }), (all, size) => {
      const labels = all.flatMap((count, label) => new Array<number>(count).fill(label));
      const there = Math.min(size, labels.length);
      const { classesPerBatchByChance, classDistanceByChance } = of(labels, all.length).of(
        consecutive(there),
        Uint32Array.of(0, there),
      );
      const classes = all.filter((count) => count > 0).length;
      expect(classesPerBatchByChance).toBeGreaterThanOrEqual(1 - 1e-9);
      expect(classesPerBatchByChance).toBeLessThanOrEqual(Math.min(classes, there) + 1e-9);
      expect(classDistanceByChance).toBeGreaterThanOrEqual(0);
      expect(classDistanceByChance).toBeLessThanOrEqual(1);
    }),
    { seed: 4 },
  );
});
