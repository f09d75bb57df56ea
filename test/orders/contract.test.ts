import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  type BatchOrder,
  cut,
  type EitherOrder,
  type MaybePoolOrder,
  type Pool,
  type PoolContext,
  type PoolOrder,
} from "../../src/orders/contract.js";

test("only an order that names candidates is shown a pool; which ones it is told nothing to name them by", () => {
  type Shown<Order extends { nextBatch(context: never): unknown }> = Parameters<Order["nextBatch"]>[0];
  expectTypeOf<Shown<BatchOrder>>().not.toHaveProperty("pool");
  expectTypeOf<Shown<PoolOrder>["pool"]>().toEqualTypeOf<Pool>();
  expectTypeOf<Shown<MaybePoolOrder>["pool"]>().toEqualTypeOf<Pool | undefined>();
  expectTypeOf<Shown<EitherOrder>["pool"]>().toEqualTypeOf<Pool | undefined>();
  expectTypeOf<PoolContext<unknown>>().not.toHaveProperty("ledger");
  expectTypeOf<PoolContext<unknown>>().not.toHaveProperty("memory");
  expectTypeOf<PoolContext<unknown>>().not.toHaveProperty("drawn");
});

describe("cut", () => {
  test("11 samples in batches of 3 are four batches, as on the slides", () => {
    expect([...cut(11, () => 3)]).toEqual([0, 3, 6, 9, 11]);
  });

  test("asks for the size of each batch by its number", () => {
    expect([...cut(11, (batch) => batch + 1)]).toEqual([0, 1, 3, 6, 10, 11]);
  });

  test("of nothing is no batch, and a batch larger than all there is holds all", () => {
    expect([...cut(0, () => 3)]).toEqual([0]);
    expect([...cut(2, () => 100)]).toEqual([0, 2]);
  });

  test("all batches but the last are as large as asked for, the last holds what is left", () => {
    fc.assert(
      fc.property(fc.nat({ max: 300 }), fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (n, sizes) => {
        const size = (batch: number) => sizes[batch % sizes.length];
        const offsets = cut(n, size);
        expect(offsets[offsets.length - 1]).toBe(n);
        for (let b = 0; b + 2 < offsets.length; b++) expect(offsets[b + 1] - offsets[b]).toBe(size(b));
      }),
      { seed: 1 },
    );
  });
});
