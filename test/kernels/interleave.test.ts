import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { groupByClass } from "../../src/kernels/classes.js";
import { interleave } from "../../src/kernels/interleave.js";

describe("interleave", () => {
  test("takes one of each class in turn; the tail holds the large class alone", () => {
    const grouped = {
      indices: Uint32Array.of(10, 11, 12, 13, 14, 20, 21, 40, 41, 42),
      offsets: Uint32Array.of(0, 5, 7, 7, 10),
    };
    expect([...interleave(grouped)]).toEqual([10, 20, 40, 11, 21, 41, 12, 42, 13, 14]);
  });

  test("equals sorting by (turn within the class, class)", () => {
    fc.assert(
      fc.property(fc.uint32Array({ min: 0, max: 9, maxLength: 60 }), (labels) => {
        const grouped = groupByClass(Uint32Array.from(labels.keys()), labels, 10);
        const turn = (index: number) => labels.subarray(0, index).filter((label) => label === labels[index]).length;
        const expected = [...labels.keys()].sort((a, b) => turn(a) - turn(b) || labels[a] - labels[b]);
        const out = new Uint32Array(labels.length);
        expect(interleave(grouped, out)).toBe(out);
        expect([...out]).toEqual(expected);
      }),
      { seed: 1 },
    );
  });
});
