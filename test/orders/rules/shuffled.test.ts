import { describe, expect, test } from "vitest";
import { chiSquare, chiSquareBounds } from "../../kernels/chi-square.js";
import { batchesOf, sorted, written } from "./run-order.js";

describe("shuffled", () => {
  test("11 samples in batches of 3 are four batches; these bits for seed 0", () => {
    expect([0, 1].map((epoch) => written(batchesOf("shuffled", { epoch })))).toEqual([
      "10,4,2 | 5,1,7 | 9,6,3 | 8,0",
      "3,10,2 | 6,7,4 | 0,1,5 | 8,9",
    ]);
  });

  test("holds each eligible sample once", () => {
    const eligible = Uint32Array.of(0, 3, 4, 8, 10);
    expect(sorted(batchesOf("shuffled", { eligible }))).toEqual([...eligible]);
  });

  test.each(["seed", "epoch"])("every sequence of 4 samples is equally likely over %ss", (place) => {
    const counts = new Map<string, number>();
    const labels = new Uint32Array(4);
    for (let i = 0; i < 4800; i++) {
      const sequence = batchesOf("shuffled", { labels, classCount: 1, [place]: i })
        .flat()
        .join("");
      counts.set(sequence, (counts.get(sequence) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expect(chiSquare(counts.values())).toBeLessThan(chiSquareBounds(23).high);
  });
});
