import { describe, expect, test } from "vitest";
import { ownBatches } from "../../src/training/batch-norm.js";

/** Batches of these sizes, of samples 100, 101, … */
function plan(sizes: readonly number[]) {
  const offsets = Uint32Array.of(
    0,
    ...sizes.map((_, at) => sizes.slice(0, at + 1).reduce((sum, size) => sum + size, 0)),
  );
  const samples = sizes.reduce((sum, size) => sum + size, 0);
  return { indices: Uint32Array.from({ length: samples }, (_, at) => 100 + at), offsets };
}

const chosen = (sizes: readonly number[], mostSamples: number) => {
  const { indices, batchSize } = ownBatches(plan(sizes), mostSamples);
  return { indices: [...indices], batchSize };
};

describe("an arm's own batches", () => {
  test("are all of them where they are few, the short one left out", () => {
    expect(chosen([3, 3, 3, 1], 100)).toEqual({ batchSize: 3, indices: [100, 101, 102, 103, 104, 105, 106, 107, 108] });
  });

  test("are spread over the epoch where they are many: every other one of six", () => {
    expect(chosen([2, 2, 2, 2, 2, 2], 7)).toEqual({ batchSize: 2, indices: [100, 101, 104, 105, 108, 109] });
  });

  test("are of the size that comes most often, the larger of two such", () => {
    expect(chosen([2, 4, 4, 2, 4], 100)).toEqual({
      batchSize: 4,
      indices: [102, 103, 104, 105, 106, 107, 108, 109, 112, 113, 114, 115],
    });
    expect(chosen([2, 3, 2, 3], 100)).toEqual({ batchSize: 3, indices: [102, 103, 104, 107, 108, 109] });
  });

  test("are one at least, however large", () => {
    expect(chosen([4, 4], 3)).toEqual({ batchSize: 4, indices: [100, 101, 102, 103] });
  });

  test("of one sample each are none", () => {
    expect(chosen([1, 1, 1], 100)).toEqual({ batchSize: 1, indices: [] });
  });
});
