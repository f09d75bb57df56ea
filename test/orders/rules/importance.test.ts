import { describe, expect, test } from "vitest";
import { consecutive } from "../../../src/kernels/consecutive.js";
import { random } from "../../../src/kernels/random.js";
import { shuffled } from "../../../src/kernels/shuffle.js";
import { allocateMemory, poolContexts } from "../../../src/orders/context.js";
import type { Pool } from "../../../src/orders/contract.js";
import importance from "../../../src/orders/rules/importance.js";
import { chiSquareBounds } from "../../kernels/chi-square.js";
import { batchOf } from "./batch-order.js";

/** Four candidates whose gradients are as 1 : 2 : 3 : 4, by hand: g = 0.1, 0.2, 0.3, 0.4. */
const POOL: Pool = {
  indices: Uint32Array.of(7, 2, 9, 0),
  loss: Float32Array.of(4, 3, 2, 1),
  correct: Uint8Array.of(1, 0, 1, 0),
  prediction: Uint32Array.of(0, 1, 0, 1),
  el2n: Float32Array.of(0.125, 0.25, 0.375, 0.5),
};
const G = [0.1, 0.2, 0.3, 0.4];
/** 1 / (B · g). */
const WEIGHTS = [2.5, 1.25, 5 / 6, 0.625];

const withTau = (tau: number) => {
  const memory = allocateMemory(importance.memory ?? {}, 10);
  memory.tau[0] = tau;
  return memory;
};
const of = (
  options: Record<string, unknown>,
  more: { step?: number; count?: number; tau?: number; pool?: Pool } = {},
) => {
  const { step = 0, count = 2, tau = 0, pool = POOL } = more;
  const memory = withTau(tau);
  const result = batchOf("importance", new Array(10).fill(Number.NaN), { options, count, step, pool, memory });
  return { ...result, indices: [...result.indices], tau: memory.tau[0] };
};

describe("on: with replacement, each draw with probability g, weighted by 1 / (B · g)", () => {
  test("each candidate comes as often as its share says, with its weight", () => {
    const counts = [0, 0, 0, 0];
    const draws = 8000;
    for (let step = 0; step < draws / 2; step++) {
      const { indices, weights } = of({ when: "always" }, { step });
      for (const [at, index] of indices.entries()) {
        const place = POOL.indices.indexOf(index);
        counts[place] += 1;
        expect(weights?.[at]).toBeCloseTo(WEIGHTS[place], 6);
      }
    }
    const expected = G.map((share) => share * draws);
    const distance = counts.reduce((sum, count, at) => sum + (count - expected[at]) ** 2 / expected[at], 0);
    expect(distance).toBeLessThan(chiSquareBounds(3).high);
  });

  test("a batch's weighted mean is, on average, that of the candidates; without weights it is not", () => {
    const y = [7, -1, 5, 2];
    const means: [number, number][] = Array.from({ length: 4000 }, (_, step) => {
      const { indices, weights } = of({ when: "always" }, { step });
      const values = indices.map((index) => y[POOL.indices.indexOf(index)]);
      const weighted = values.map((value, at) => value * (weights?.[at] ?? Number.NaN));
      return [(weighted[0] + weighted[1]) / 2, (values[0] + values[1]) / 2];
    });
    const deviations = [0, 1].map((which) => {
      const mean = means.reduce((sum, each) => sum + each[which], 0) / means.length;
      const variance = means.reduce((sum, each) => sum + (each[which] - mean) ** 2, 0) / (means.length - 1);
      return Math.abs(mean - 13 / 4) / Math.sqrt(variance / means.length);
    });
    expect(deviations[0]).toBeLessThan(4);
    expect(deviations[1]).toBeGreaterThan(8);
  });

  test("the same one may come twice in a batch", () => {
    const { indices } = of({ when: "always" }, { count: 4 });
    const repeats = Array.from(
      { length: 20 },
      (_, step) => new Set(of({ when: "always" }, { step, count: 4 }).indices).size,
    );
    expect(indices).toHaveLength(4);
    expect(Math.min(...repeats)).toBeLessThan(4);
  });

  test("by the loss, to compare with; and all alike where all are 0", () => {
    const { weights, indices } = of({ when: "always", score: "loss" });
    const losses = [0.4, 0.3, 0.2, 0.1];
    for (const [at, index] of indices.entries()) {
      expect(weights?.[at]).toBeCloseTo(1 / (4 * losses[POOL.indices.indexOf(index)]), 6);
    }
    const none = of({ when: "always" }, { pool: { ...POOL, el2n: new Float32Array(4) } });
    expect([...(none.weights ?? [])]).toEqual([1, 1]);
    expect(none.effectiveDataSize).toBe(10);
  });

  test("its effective size is 1/Σg² of the candidates, for all samples", () => {
    expect(of({ when: "always" }).effectiveDataSize).toBeCloseTo((1 / 0.3 / 4) * 10, 10);
  });
});

describe("off: the uniform batch, with weights of 1", () => {
  test("the first candidates, which are those of the shuffle", () => {
    const { indices, weights } = of({});
    expect(indices).toEqual([7, 2]);
    expect([...(weights ?? [])]).toEqual([1, 1]);
  });

  test.each([
    [24, 3, 5],
    [25, 2, 8],
    [10, 8, 4],
    [7, 3, 7],
  ])(
    "of %d samples, with factor %d and batches of %d: candidates are distinct, their first ones order shuffled",
    (n, factor, size) => {
      const options = importance.options.parse({ factor });
      const contextOf = poolContexts(
        { options, seed: 3, epoch: 2, labels: new Uint32Array(n), classCount: 1, size },
        n,
      );
      const all: number[] = [];
      for (let first = 0, batch = 0; first < n; first += size, batch++) {
        const count = Math.min(size, n - first);
        const candidates = importance.candidates(contextOf({ batch, step: 50 + batch, count, first }));
        expect(new Set(candidates).size).toBe(Math.min(n, factor * count));
        all.push(...candidates.slice(0, count));
      }
      expect(all).toEqual([...shuffled(consecutive(n), random(3, "order", 2))]);
    },
  );
});

describe("it is on while τ, as eq. 26 has it, is above τ_th", () => {
  /** Eq. 26 as it stands. */
  const eq26 = (g: readonly number[]) => {
    const u = 1 / g.length;
    const distance = g.reduce((sum, share) => sum + (share - u) ** 2, 0);
    const squares = g.reduce((sum, share) => sum + share ** 2, 0);
    return 1 / Math.sqrt(1 - distance / squares);
  };

  test("τ of these candidates is √1.2, and smoothed with a_τ", () => {
    expect(eq26(G)).toBeCloseTo(Math.sqrt(1.2), 12);
    expect(of({}).tau).toBeCloseTo(0.1 * eq26(G), 7);
    expect(of({ aTau: 0.75 }, { tau: 3 }).tau).toBeCloseTo(0.75 * 3 + 0.25 * eq26(G), 7);
    expect(of({ aTau: 0 }, { pool: { ...POOL, el2n: Float32Array.of(1, 1, 1, 1) } }).tau).toBeCloseTo(1, 12);
  });

  test("left out τ_th is (B + 3b) / 3b: 5/3 for 4 candidates and a batch of 2", () => {
    const isOn = (tau: number, options = {}) => of(options, { tau }).effectiveDataSize !== undefined;
    expect([isOn(1.66), isOn(1.67)]).toEqual([false, true]);
    expect([isOn(2, { tauTh: 2 }), isOn(2.01, { tauTh: 2 })]).toEqual([false, true]);
  });

  test("the choice is by τ of the batches before", () => {
    expect(of({ tauTh: 0.05, aTau: 0 }).effectiveDataSize).toBeUndefined();
    expect(of({ tauTh: 0.05, aTau: 0 }, { tau: 0.06 }).effectiveDataSize).toBeDefined();
  });

  test("a threshold for what is always on is refused", () => {
    expect(importance.options.safeParse({ when: "always", tauTh: 2 }).error?.issues[0].message).toBe(
      "is for when: pays",
    );
  });
});
