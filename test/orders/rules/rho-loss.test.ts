import { expect, test } from "vitest";
import type { Pool } from "../../../src/orders/contract.js";
import { batchOf } from "./batch-order.js";

/** Five candidates of eight samples. */
const POOL: Pool = {
  indices: Uint32Array.of(7, 2, 6, 0, 4),
  loss: Float32Array.of(0.5, 2, 0.25, 3, 1),
  correct: Uint8Array.of(1, 0, 1, 0, 0),
  prediction: Uint32Array.of(0, 1, 0, 1, 1),
};
const chosen = (irreducible: readonly number[], count: number) => [
  ...batchOf("rho-loss", new Array(8).fill(Number.NaN), {
    ...{ count, pool: POOL, scores: Float32Array.from(irreducible) },
  }).indices,
]; // in the sequence of the pool

test("those with the highest loss less irreducible loss; by hand", () => {
  // Sample:          0    1  2    3  4     5  6    7
  const irreducible = [2.5, 9, 0.5, 9, 0.75, 9, 1.0, 0.1];
  // Reducible: 7: 0.4, 2: 1.5, 6: −0.75, 0: 0.5 (its loss is the highest, and its label may be wrong), 4: 0.25
  expect(chosen(irreducible, 2)).toEqual([2, 0]);
  expect(chosen(irreducible, 3)).toEqual([7, 2, 0]);
  expect(chosen(irreducible, 4)).toEqual([7, 2, 0, 4]);
  expect(chosen(irreducible, 5)).toEqual([7, 2, 6, 0, 4]);
});

test("without irreducible loss it is pool; of equal ones the first, and one that is not known comes last", () => {
  expect(chosen(new Array(8).fill(0), 3)).toEqual([2, 0, 4]);
  expect(chosen([3, 0, 2, 0, 1, 0, 0.25, 0.5], 3)).toEqual([7, 2, 6]);
  expect(chosen([Number.NaN, 0, 1.9, 0, 0.9, 0, 0, 0], 4)).toEqual([7, 2, 6, 4]);
});
