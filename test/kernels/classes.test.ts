import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countClasses, groupByClass } from "../../src/kernels/classes.js";

const labelled = fc.integer({ min: 1, max: 12 }).chain((classCount) =>
  fc.record({
    classCount: fc.constant(classCount),
    labels: fc.uint32Array({ min: 0, max: classCount - 1, maxLength: 60 }),
  }),
);

describe("groupByClass", () => {
  test("puts classes together and keeps the sequence within each", () => {
    const labels = Uint32Array.of(2, 0, 2, 1, 0, 2);
    const { indices, offsets } = groupByClass(Uint32Array.of(5, 4, 3, 2, 1, 0), labels, 4);
    expect([...indices]).toEqual([4, 1, 3, 5, 2, 0]);
    expect([...offsets]).toEqual([0, 2, 3, 6, 6]);
  });

  test("equals a stable sort by label, on any part of the samples", () => {
    fc.assert(
      fc.property(labelled, fc.func(fc.boolean()), ({ labels, classCount }, keep) => {
        const indices = Uint32Array.from(labels.keys()).filter((index) => keep(index));
        const { indices: grouped, offsets } = groupByClass(indices, labels, classCount);
        const sorted = [...indices].sort((a, b) => labels[a] - labels[b]);
        expect([...grouped]).toEqual(sorted);
        expect(offsets.length).toBe(classCount + 1);
        for (let c = 0; c < classCount; c++) {
          const members = [...indices].filter((index) => labels[index] === c);
          expect([...grouped.subarray(offsets[c], offsets[c + 1])]).toEqual(members);
        }
      }),
      { seed: 1 },
    );
  });

  test("of nothing is nothing", () => {
    const { indices, offsets } = groupByClass(new Uint32Array(0), new Uint32Array(0), 3);
    expect([...indices]).toEqual([]);
    expect([...offsets]).toEqual([0, 0, 0, 0]);
  });
});

describe("countClasses", () => {
  test("counts the given samples only, into a used array too", () => {
    const labels = Uint32Array.of(0, 1, 1, 2, 2, 2);
    const out = Uint32Array.of(9, 9, 9, 9);
    expect(countClasses(Uint32Array.of(0, 2, 5), labels, 4, out)).toBe(out);
    expect([...out]).toEqual([1, 1, 1, 0]);
  });

  test("refuses a label past the classes, and an index past the labels", () => {
    expect(() => countClasses(Uint32Array.of(0, 1), Uint32Array.of(0, 3), 3)).toThrow(
      new RangeError("sample 1 has label 3, expected 0 to 2"),
    );
    expect(() => countClasses(Uint32Array.of(7), Uint32Array.of(0, 1), 3)).toThrow(RangeError);
  });
});
