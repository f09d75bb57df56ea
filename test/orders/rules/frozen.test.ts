import { describe, expect, test } from "vitest";
import { batchesOf, sorted } from "./run-order.js";

describe("frozen", () => {
  test("11 samples in batches of 3 are four batches in the file's sequence", () => {
    expect(batchesOf("frozen")).toEqual([
      [0, 1, 2],
      [3, 4, 5],
      [6, 7, 8],
      [9, 10],
    ]);
  });

  test("keeps the file's sequence of what is eligible", () => {
    expect(batchesOf("frozen", { eligible: Uint32Array.of(1, 4, 5, 9) })).toEqual([[1, 4, 5], [9]]);
  });

  test("with `sequence: shuffled` mixes once, as the first epoch of `shuffled` does, and keeps that", () => {
    const options = { sequence: "shuffled" };
    const first = batchesOf("frozen", { options, seed: 4 });
    expect(sorted(first)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(first).not.toEqual(batchesOf("frozen"));
    expect(first).toEqual(batchesOf("shuffled", { seed: 4 }));
    expect(first).toEqual(batchesOf("frozen", { options, seed: 4, epoch: 9 }));
    expect(first).not.toEqual(batchesOf("frozen", { options, seed: 5 }));
  });
});
