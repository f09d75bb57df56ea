import { describe, expect, test } from "vitest";
import { consecutive } from "../../../src/kernels/consecutive.js";
import { random } from "../../../src/kernels/random.js";
import { shuffled } from "../../../src/kernels/shuffle.js";
import { poolContexts } from "../../../src/orders/context.js";
import type { Pool } from "../../../src/orders/contract.js";
import pool from "../../../src/orders/rules/pool.js";
import { batchOf } from "./batch-order.js";

/** Six candidates of ten samples, by hand. */
const POOL: Pool = {
  indices: Uint32Array.of(7, 2, 9, 0, 4, 5),
  loss: Float32Array.of(0.5, 2, 0.1, 3, 1, 0.2),
  correct: Uint8Array.of(1, 0, 1, 0, 0, 1),
  prediction: Uint32Array.of(0, 1, 0, 1, 1, 0),
  el2n: Float32Array.of(0.2, 0.4, 0.1, 0.3, 1.2, 0.9),
};
const of = (options: Record<string, unknown>, count: number, candidates: Pool = POOL) => [
  ...batchOf("pool", new Array(10).fill(Number.NaN), { options, count, pool: candidates }).indices,
];

test("the q of s candidates with the highest losses, as in ordered SGD; by hand", () => {
  expect(of({ factor: 2 }, 3)).toEqual([0, 2, 4]);
  expect(of({ factor: 3 }, 2)).toEqual([0, 2]);
});

test("or with the lowest, or by another signal", () => {
  expect(of({ take: "lowest" }, 3)).toEqual([9, 5, 7]);
  expect(of({ by: "el2n" }, 2)).toEqual([4, 5]);
  expect(() => of({ by: "margin" }, 2)).toThrow("the pool has no margin, expected one value a candidate");
});

test("of equal ones those that come first in the shuffle", () => {
  expect(of({}, 3, { ...POOL, loss: Float32Array.of(1, 2, 1, 1, 2, 1) })).toEqual([2, 4, 7]);
});

describe("the candidates of an epoch are its shuffle, part by part", () => {
  const partsOf = (n: number, factor: number, size: number) => {
    const inputs = { options: { factor }, seed: 3, epoch: 2, labels: new Uint32Array(n), classCount: 1, size };
    const samples = Math.max(1, Math.round(n / factor));
    const contextOf = poolContexts({ ...inputs, options: pool.options.parse(inputs.options) }, samples);
    const parts: { readonly count: number; readonly part: Uint32Array }[] = [];
    for (let first = 0, batch = 0; first < samples; first += size, batch++) {
      const count = Math.min(size, samples - first);
      parts.push({ count, part: pool.candidates(contextOf({ batch, step: 100 + batch, count, first })) });
    }
    return parts;
  };

  test.each([
    [24, 2, 5],
    [25, 2, 5],
    [23, 3, 4],
    [103, 4, 8],
    [102, 4, 25],
    [7, 8, 3],
    [1, 2, 3],
    [60, 1, 7],
  ])("of %d samples, with factor %d and batches of %d", (n, factor, size) => {
    const parts = partsOf(n, factor, size);
    expect(parts.flatMap(({ part }) => [...part])).toEqual([...shuffled(consecutive(n), random(3, "order", 2))]);
    for (const { count, part } of parts) expect(part.length).toBeGreaterThanOrEqual(count);
    for (const { count, part } of parts.slice(0, -1)) expect(part.length).toBe(factor * count);
  });
});

test("with factor 1 it holds each sample once, and is no other objective", () => {
  const options = pool.options.parse({ factor: 1 });
  expect([pool.coverage(options), pool.epochShare?.(options), pool.changesObjective?.(options)]).toEqual([
    "each-once",
    1,
    false,
  ]);
});
