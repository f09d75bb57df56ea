import { describe, expect, test } from "vitest";
import { allocateMemory, batchContext } from "../../../src/orders/context.js";
import loshchilovHutter, {
  drawRank,
  effectiveRanks,
  selectionPressure,
} from "../../../src/orders/rules/loshchilov-hutter.js";
import { chiSquare, chiSquareBounds } from "../../kernels/chi-square.js";
import { batchOf } from "./batch-order.js";
import { ledgerWith } from "./run-order.js";

/** Ranks 1 to 4 are samples 2, 0, 3, 1. */
const LOSSES = [2, 0.5, 3, 1];

describe("the definition, by hand: 4 samples, s_e = 16, so each rank is half as likely as the one before", () => {
  const P = [8 / 15, 4 / 15, 2 / 15, 1 / 15];

  test("p_i ∝ 1 / exp(log(s_e) / N)^i: the rank changes where the cumulated probability does", () => {
    const weights = [1, 2, 3, 4].map((i) => 1 / Math.exp(Math.log(16) / 4) ** i);
    const total = weights.reduce((sum, weight) => sum + weight);
    for (const [i, weight] of weights.entries()) expect(weight / total).toBeCloseTo(P[i], 12);
    let before = 0;
    for (const [i, p] of P.entries()) {
      expect(drawRank(before + 1e-9, 16, 4)).toBe(i + 1);
      expect(drawRank(before + p - 1e-9, 16, 4)).toBe(i + 1);
      before += p;
    }
    expect(drawRank(0, 16, 4)).toBe(1);
    expect(drawRank(1 - 2 ** -53, 16, 4)).toBe(4);
  });

  test("and 1 / Σp² is that of it", () => {
    expect(effectiveRanks(16, 4)).toBeCloseTo(1 / P.reduce((sum, p) => sum + p * p, 0), 12);
    expect(effectiveRanks(1, 4)).toBe(4);
    expect(effectiveRanks(1.0000001, 4)).toBeCloseTo(4, 6);
  });

  test("samples are drawn as often, with replacement, also within a batch", () => {
    const options = { se0: 16, seEnd: 16 };
    const counts = [0, 0, 0, 0];
    let repeated = 0;
    for (let step = 0; step < 4000; step++) {
      const { indices, effectiveDataSize } = batchOf("loshchilov-hutter", LOSSES, { options, count: 3, step });
      for (const index of indices) counts[index] += 1;
      repeated += Number(new Set(indices).size < 3);
      expect(effectiveDataSize).toBeCloseTo(225 / 85, 12);
    }
    const expected = [2, 0, 3, 1].map((sample, rank) => [counts[sample], 12_000 * P[rank]]);
    const statistic = expected.reduce((sum, [seen, mean]) => sum + (seen - mean) ** 2 / mean, 0);
    expect(statistic).toBeLessThan(chiSquareBounds(3).high);
    const distinct = P.flatMap((a, i) =>
      P.flatMap((b, j) => P.map((c, k) => (new Set([i, j, k]).size < 3 ? 0 : a * b * c))),
    );
    const allDistinct = distinct.reduce((sum, p) => sum + p);
    expect(Math.abs(repeated / 4000 - (1 - allDistinct))).toBeLessThan(4 * Math.sqrt(0.25 / 4000));
  });

  test("with s_e = 1 all are alike", () => {
    const counts = new Map<number, number>();
    for (let step = 0; step < 4000; step++) {
      const [index] = batchOf("loshchilov-hutter", LOSSES, { options: { se0: 1 }, count: 1, step }).indices;
      counts.set(index, (counts.get(index) ?? 0) + 1);
    }
    expect(counts.size).toBe(4);
    expect(chiSquare(counts.values())).toBeLessThan(chiSquareBounds(3).high);
  });
});

test("the pressure falls exponentially from se0 to seEnd with the run's progress", () => {
  const options = { se0: 100, seEnd: 1 };
  expect([0, 0.5, 1].map((progress) => selectionPressure(options, progress))).toEqual([100, 10, 1]);
  const effective = [0, 1].map(
    (epoch) => batchOf("loshchilov-hutter", LOSSES, { options, count: 1, epoch, epochs: 2 }).effectiveDataSize,
  );
  expect(effective).toEqual([effectiveRanks(100, 4), effectiveRanks(10, 4)]);
});

test("samples never seen come first, each once in an epoch, so that the first one is a shuffle", () => {
  const unseen = [Number.NaN, Number.NaN, Number.NaN, Number.NaN];
  const { indices, effectiveDataSize } = batchOf("loshchilov-hutter", unseen, { count: 4 });
  expect([...indices].sort()).toEqual([0, 1, 2, 3]);
  expect(effectiveDataSize).toBeUndefined();
  expect([...batchOf("loshchilov-hutter", unseen, { count: 2, drawn: [3, 1], pending: 2 }).indices].sort()).toEqual([
    0, 2,
  ]);
  for (let step = 0; step < 20; step++) {
    const some = batchOf("loshchilov-hutter", [2, Number.NaN, 3, 1], {
      count: 2,
      step,
      options: { se0: 1e8, seEnd: 1e8 },
    });
    expect(some.indices[0]).toBe(1);
    expect(some.indices[1]).not.toBe(1);
  }
});

test("chance breaks ties", () => {
  const counts = new Map<number, number>();
  for (let step = 0; step < 2000; step++) {
    const options = { se0: 1e9, seEnd: 1e9 };
    const [index] = batchOf("loshchilov-hutter", [1, 1, 1, 1], { options, count: 1, step }).indices;
    counts.set(index, (counts.get(index) ?? 0) + 1);
  }
  expect(counts.size).toBe(4);
  expect(chiSquare(counts.values())).toBeLessThan(chiSquareBounds(3).high);
});

test("between two sorts, tSort batches apart, ranks stay as they were", () => {
  const options = loshchilovHutter.options.parse({ se0: 1e300, seEnd: 1e300, tSort: 3 });
  const memory = allocateMemory(loshchilovHutter.memory ?? {}, 4);
  const firstOf = (losses: readonly number[], step: number) => {
    const drawn = { indices: new Uint32Array(), times: new Uint32Array(4), pending: new Uint32Array() };
    const inputs = { options, memory, seed: 0, epoch: 1, labels: new Uint32Array(4), classCount: 1, size: 1 };
    const place = { batch: step, step, count: 1, drawn, share: 0 };
    return loshchilovHutter.nextBatch(batchContext({ ...inputs, ledger: ledgerWith(losses) }, place)).indices[0];
  };
  const turned = [1, 3, 0.5, 2]; // sample 1 has the highest loss now
  expect(firstOf(LOSSES, 0)).toBe(2);
  expect([1, 2, 3, 4].map((step) => firstOf(turned, step))).toEqual([2, 2, 1, 1]);
});
