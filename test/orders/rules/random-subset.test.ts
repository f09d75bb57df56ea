import { describe, expect, test } from "vitest";
import { chiSquare, chiSquareBounds } from "../../kernels/chi-square.js";
import { batchesOf, resultOf } from "./run-order.js";

describe("random-subset", () => {
  test("the first part of what shuffled takes, rounded to whole samples; all of it for fraction 1", () => {
    const all = batchesOf("shuffled").flat();
    for (const [fraction, count] of [
      [1, 11],
      [0.5, 6],
      [0.2, 2],
      [0.01, 1],
    ]) {
      const { indices, inclusion, weights } = resultOf("random-subset", { options: { fraction } });
      expect([...indices]).toEqual(all.slice(0, count));
      expect(inclusion).toEqual(new Float64Array(count).fill(count / 11));
      expect(weights).toBeUndefined();
    }
  });

  test("is drawn anew in each epoch, each pair of 6 samples equally often", () => {
    const pairs = new Map<string, number>();
    for (let epoch = 0; epoch < 3000; epoch++) {
      const inputs = { labels: new Uint32Array(6), classCount: 1, epoch, options: { fraction: 1 / 3 } };
      const pair = batchesOf("random-subset", inputs).flat().sort().join();
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
    }
    expect(pairs.size).toBe(15);
    expect(chiSquare(pairs.values())).toBeLessThan(chiSquareBounds(14).high);
  });

  test.each([0, -0.1, 2, Number.NaN, "half"])("refuses fraction %j", (fraction) => {
    expect(() => resultOf("random-subset", { options: { fraction } })).toThrow();
  });
});
