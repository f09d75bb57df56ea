import { describe, expect, test } from "vitest";
import { z } from "zod";
import weighted from "../../../src/orders/rules/weighted.js";
import { batchOf } from "./batch-order.js";
import { batchesOf, LOSSES, ledgerWith, resultOf, sorted, written } from "./run-order.js";

/** What `weighted` gives for samples of these losses, all of one class. */
function run(losses: readonly number[], options: Record<string, unknown> = {}, seed = 0) {
  return resultOf("weighted", {
    labels: new Uint32Array(losses.length),
    classCount: 1,
    ledger: ledgerWith(losses),
    options,
    seed,
  });
}

const SEEDS = 10_000;

/** Observed counts against exact chances, as standard deviations. */
function expectWithinFourSigma(counts: Map<string, number>, chances: Record<string, number>): void {
  expect([...counts.keys()].sort()).toEqual(Object.keys(chances).sort());
  for (const [what, chance] of Object.entries(chances)) {
    const sigma = Math.sqrt((chance * (1 - chance)) / SEEDS);
    expect(Math.abs((counts.get(what) ?? 0) / SEEDS - chance) / sigma).toBeLessThan(4);
  }
}

const count = (counts: Map<string, number>, what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);

describe("the law of what is drawn: losses 1, 2, 3, 4 as weights, two of four", () => {
  const options = { floor: 0, fraction: 0.5 };

  test("ordered pairs in the sequence of drawing", () => {
    const pairs = new Map<string, number>();
    for (let seed = 0; seed < SEEDS; seed++) {
      const { indices } = run([1, 2, 3, 4], { ...options, sequence: "drawn" }, seed);
      count(pairs, `${indices[0] + 1}${indices[1] + 1}`);
    }
    expectWithinFourSigma(pairs, {
      12: 1 / 45,
      13: 1 / 30,
      14: 2 / 45,
      21: 1 / 40,
      23: 3 / 40,
      24: 1 / 10,
      31: 3 / 70,
      32: 3 / 35,
      34: 6 / 35,
      41: 1 / 15,
      42: 2 / 15,
      43: 1 / 5,
    });
  });

  test("inclusion, and either sequence of a pair alike when shuffled", () => {
    const included = new Map<string, number>();
    let rising = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const { indices } = run([1, 2, 3, 4], options, seed);
      for (const index of indices) count(included, `${index}`);
      if (indices[0] < indices[1]) rising++;
    }
    expectWithinFourSigma(included, { 0: 197 / 840, 1: 139 / 315, 2: 73 / 120, 3: 451 / 630 });
    expect(Math.abs(rising / SEEDS - 0.5)).toBeLessThan(4 * Math.sqrt(0.25 / SEEDS));
  });

  test("the unbiased estimate of a total is its truth within its standard error, the unweighted one is not", () => {
    const y = [7, -1, 5, 2];
    let unbiased = 0;
    let plain = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const { indices, weights } = run([1, 2, 3, 4], { ...options, unbiased: true }, seed);
      for (const [i, index] of indices.entries()) {
        unbiased += ((4 / 2) * (weights?.[i] ?? 0) * y[index]) / SEEDS;
        plain += ((4 / 2) * y[index]) / SEEDS;
      }
    }
    const error = Math.sqrt(364.6 / SEEDS); // the variance of rank conditioning, exact
    expect(Math.abs(unbiased - 13)).toBeLessThan(4 * error);
    expect(Math.abs(plain - 11.348)).toBeLessThan(0.2);
  });

  test("power and rank: P(0 before 1) is w0 / (w0 + w1)", () => {
    const cases: [Record<string, unknown>, number][] = [
      [{ power: 1 }, 3 / 4],
      [{ power: 2 }, 9 / 10],
      [{ power: -1 }, 1 / 4],
      [{ power: 0 }, 1 / 2],
      [{ weights: "rank" }, 2 / 3],
      [{ weights: "rank", alpha: 2 }, 4 / 5],
      [{ weights: "uniform" }, 1 / 2],
    ];
    for (const [more, chance] of cases) {
      let first = 0;
      for (let seed = 0; seed < SEEDS; seed++) first += run([3, 1], more, seed).indices[0] === 0 ? 1 : 0;
      expect(Math.abs(first / SEEDS - chance)).toBeLessThan(4 * Math.sqrt((chance * (1 - chance)) / SEEDS));
    }
  });
});

describe("weights of samples, as the probabilities to be drawn first", () => {
  const { NaN: never, POSITIVE_INFINITY: infinite } = Number;
  test.each([
    ["losses as they are", [1, 2, 1], { floor: 0 }, [1 / 4, 2 / 4, 1 / 4]],
    ["never seen: the highest weight", [1, never, 3], {}, [1 / 7, 3 / 7, 3 / 7]],
    ["never seen: the mean weight", [1, never, 3], { unseen: "mean" }, [1 / 6, 2 / 6, 3 / 6]],
    ["highest weight, not loss, with a negative power", [1, never, 2], { power: -1 }, [2 / 5, 2 / 5, 1 / 5]],
    ["never seen, by rank: as rank 1", [1, never, 3], { weights: "rank" }, [0.2, 0.4, 0.4]],
    ["infinite: as the largest finite one", [1, infinite, 3], {}, [1 / 7, 3 / 7, 3 / 7]],
    ["floor: a share of the mean, 2", [0, 2, 4], { floor: 0.5 }, [1 / 7, 2 / 7, 4 / 7]],
    ["all 0: all alike", [0, 0], {}, [1 / 2, 1 / 2]],
    ["rank^-1: 1, 1/3, 1/2", [5, 1, 3], { weights: "rank" }, [6 / 11, 2 / 11, 3 / 11]],
  ])("%s", (_what, losses, options, expected) => {
    const { probabilities } = run(losses, options);
    expect(probabilities).toHaveLength(expected.length);
    for (const [i, p] of expected.entries()) expect(probabilities?.[i]).toBeCloseTo(p, 6);
  });
});

describe("all samples (fraction 1)", () => {
  test("each once, in the sequence of drawing; q and weights are all 1", () => {
    const { indices, inclusion, weights } = run(LOSSES, { unbiased: true });
    expect([...indices].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(inclusion).toEqual(new Float64Array(11).fill(1));
    expect(weights).toEqual(new Float32Array(11).fill(1));
  });

  test("heavy samples come early: with a high power it is the sorted list", () => {
    expect([...run([1, 1e3, 1e6], { power: 5, floor: 0 }).indices]).toEqual([2, 1, 0]);
  });

  test("two epochs and two seeds differ", () => {
    const ledger = ledgerWith(LOSSES);
    const places = [{}, { epoch: 1 }, { seed: 1 }].map((at) => written(batchesOf("weighted", { ledger, ...at })));
    expect(new Set(places).size).toBe(3);
  });
});

describe("a part (fraction below 1)", () => {
  const losses = Array.from({ length: 200 }, (_, i) => i / 50);

  test("before any loss is known it is random-subset, to the bit, with weight 1", () => {
    const options = { fraction: 0.5 };
    const { indices, inclusion, weights } = resultOf("weighted", { options: { ...options, unbiased: true } });
    expect({ indices, inclusion }).toEqual({
      indices: resultOf("random-subset", { options }).indices,
      inclusion: new Float64Array(6).fill(6 / 11),
    });
    expect(weights).toEqual(new Float32Array(6).fill(1));
    expect(sorted(batchesOf("weighted"))).toEqual(sorted(batchesOf("shuffled")));
  });

  test("shuffling what was drawn changes its sequence alone", () => {
    const [drawn, shuffled] = ["drawn", "auto"].map((sequence) => run(losses, { fraction: 0.1, sequence }).indices);
    expect([...shuffled]).not.toEqual([...drawn]);
    expect([...shuffled].sort()).toEqual([...drawn].sort());
  });

  test("weights are m / (n·q), q higher for higher losses", () => {
    const { indices, inclusion, weights } = run(losses, { fraction: 0.1, unbiased: true });
    const q = [...(inclusion ?? [])];
    for (const [i, weight] of [...(weights ?? [])].entries()) expect(weight * q[i]).toBeCloseTo(0.1, 6);
    const byLoss = [...indices.keys()].sort((a, b) => indices[a] - indices[b]).map((i) => q[i]);
    expect(byLoss).toEqual([...byLoss].sort((a, b) => a - b));
  });

  test("cap: the largest weight; normalise: mean 1 afterwards", () => {
    const base = { fraction: 0.1, unbiased: true };
    const free = [...(run(losses, base).weights ?? [])];
    const capped = [...(run(losses, { ...base, cap: 0.5 }).weights ?? [])];
    expect(Math.max(...free)).toBeGreaterThan(0.5);
    expect(capped).toEqual(free.map((weight) => Math.min(weight, 0.5)));
    const normalised = [...(run(losses, { ...base, cap: 0.5, normalise: true }).weights ?? [])];
    const mean = capped.reduce((sum, weight) => sum + weight, 0) / capped.length;
    for (const [i, weight] of normalised.entries()) expect(weight).toBeCloseTo(capped[i] / mean, 5);
  });

  test("is another objective unless unbiased without a cap, or with all samples alike", () => {
    const changes = (options: Record<string, unknown>) => weighted.changesObjective?.(weighted.options.parse(options));
    expect(changes({})).toBe(false);
    expect(changes({ fraction: 0.5 })).toBe(true);
    expect(changes({ fraction: 0.5, unbiased: true })).toBe(false);
    expect(changes({ fraction: 0.5, unbiased: true, cap: 10 })).toBe(true);
    expect(changes({ fraction: 0.5, weights: "uniform" })).toBe(false);
    expect(changes({ fraction: 0.5, power: 0, unseen: "mean" })).toBe(false);
    expect(changes({ fraction: 0.5, power: 0, weights: "rank" })).toBe(true);
    expect(changes({ fraction: 0.5, alpha: 0, weights: "rank" })).toBe(false);
    expect(changes({ fraction: 0.5, alpha: 0 })).toBe(true);
  });
});

describe("what is refused", () => {
  test.each([
    { fraction: 0 },
    { fraction: 2 },
    { fraction: Number.NaN },
    { alpha: -1 },
    { floor: -0.1 },
    { floor: 2 },
    { cap: 0 },
    { by: "margin" },
    { power: Number.POSITIVE_INFINITY },
  ])("%j", (options) => {
    expect(weighted.options.safeParse(options).success).toBe(false);
  });

  test("shuffled with fraction 1, in a sentence", () => {
    const { error } = weighted.options.safeParse({ sequence: "shuffled" });
    expect(z.prettifyError(error ?? new z.ZodError([]))).toBe(
      "✖ shuffled with fraction 1 is order shuffled: every sample, in random sequence\n  → at sequence",
    );
    expect(weighted.options.safeParse({ sequence: "shuffled", fraction: 0.9 }).success).toBe(true);
  });

  test.each([
    [
      [1, 0, 2],
      { power: -1 },
      "loss of sample 1 is 0, whose power -1 is infinite; take a power of at least 0 or weights: rank",
    ],
    [
      [1, 2 ** 100],
      { power: 20 },
      `loss of sample 1 is ${2 ** 100}, whose power 20 is infinite; take a smaller power or weights: rank`,
    ],
    [[1, -0.5], {}, "loss of sample 1 is -0.5, expected at least 0 (weights: rank takes any)"],
    [[1, 0, 2], { floor: 0 }, "2 samples have a weight above 0, expected at least the 3 to draw; raise floor"],
    [
      [1, 0, 2],
      { floor: 0, fraction: 0.3, unbiased: true },
      "sample 1 has weight 0 and is never drawn, which no weights make up for; raise floor",
    ],
  ])("losses %j with %j", (losses, options, sentence) => {
    expect(() => run(losses, options)).toThrow(new Error(sentence));
  });

  test.each([-1, -2, -3])("a loss of -0, which torch gives, with power %d, as one of 0", (power) => {
    expect(() => run([1, -0, 2], { power })).toThrow(
      new Error(`loss of sample 1 is 0, whose power ${power} is infinite; take a power of at least 0 or weights: rank`),
    );
  });

  test("a loss of 0 with floor 0 is never drawn", () => {
    for (let seed = 0; seed < 200; seed++) {
      expect([...run([1, 0, 2, 3], { floor: 0, fraction: 0.75 }, seed).indices].sort()).toEqual([0, 2, 3]);
    }
  });
});

describe("per: batch, losses 1, 2, 3, 4 as weights, two of four a batch", () => {
  const options = { per: "batch", floor: 0 };
  const batch = (step: number, more: Record<string, unknown> = {}, drawn: readonly number[] = []) =>
    batchOf("weighted", [1, 2, 3, 4], { options: { ...options, ...more }, count: 2, step, drawn });

  test("each batch is a draw of its own, with the exact inclusion probabilities", () => {
    const included = new Map<string, number>();
    for (let step = 0; step < SEEDS; step++) for (const index of batch(step).indices) count(included, `${index}`);
    expectWithinFourSigma(included, { 0: 197 / 840, 1: 139 / 315, 2: 73 / 120, 3: 451 / 630 });
  });

  test("unbiased: with its weights the mean over batches of 7, −1, 5, 2 is theirs, within its standard error; without, not", () => {
    const values = [7, -1, 5, 2];
    const truth = 13 / 4;
    const of = (weighted: boolean) => {
      const means = Array.from({ length: SEEDS }, (_, step) => {
        const { indices, weights } = batch(step, { unbiased: true });
        return indices.reduce((sum, index, at) => sum + (weighted ? (weights?.[at] ?? 0) : 1) * values[index], 0) / 2;
      });
      const mean = means.reduce((sum, one) => sum + one) / SEEDS;
      const variance = means.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (SEEDS - 1);
      return { mean, standardError: Math.sqrt(variance / SEEDS) };
    };
    const weighted = of(true);
    expect(Math.abs(weighted.mean - truth)).toBeLessThan(4 * weighted.standardError);
    const plain = of(false);
    expect(Math.abs(plain.mean - 11.348 / 4)).toBeLessThan(4 * plain.standardError + 0.0005);
    expect(Math.abs(plain.mean - truth)).toBeGreaterThan(10 * plain.standardError);
  });

  test("with cover, of those not drawn yet: after 3 and 1 it is 0 and 2, in Algorithm D's sequence", () => {
    const firsts = new Map<string, number>();
    for (let step = 0; step < SEEDS; step++) {
      const { indices } = batch(step, { cover: true }, [3, 1]);
      expect([...indices].sort()).toEqual([0, 2]);
      count(firsts, `${indices[0]}`);
    }
    expectWithinFourSigma(firsts, { 0: 1 / 4, 2: 3 / 4 });
  });

  test("before any loss is known, as where all are alike, it is uniform: q = m / n, weights 1", () => {
    for (const losses of [
      [Number.NaN, Number.NaN, Number.NaN, Number.NaN],
      [1, 2, 3, 4],
    ]) {
      const more = { ...options, unbiased: true, ...(losses[0] === 1 && { weights: "uniform" }) };
      const { inclusion, weights, effectiveDataSize } = batchOf("weighted", losses, { options: more, count: 2 });
      expect([[...(inclusion ?? [])], [...(weights ?? [])], effectiveDataSize]).toEqual([[0.5, 0.5], [1, 1], 4]);
    }
  });

  test("with cover the monitors are of all samples: where all are alike it is a shuffle, and its size is theirs", () => {
    const alike = { per: "batch", cover: true, weights: "uniform" };
    const { inclusion, effectiveDataSize } = batchOf("weighted", [1, 2, 3, 4], {
      options: alike,
      count: 2,
      drawn: [0],
    });
    expect([inclusion, effectiveDataSize]).toEqual([undefined, 4]);
  });

  test("with cover there are no weights: each sample comes once", () => {
    expect(
      weighted.options.safeParse({ per: "batch", cover: true, unbiased: true }).error?.issues[0].message,
    ).toContain("is not for cover");
  });

  test("the effective size is 1 / Σp²: of 1, 2, 3, 4 it is 100 / 30", () => {
    expect(batch(0).effectiveDataSize).toBeCloseTo(100 / 30, 6);
  });
});

test.each([
  [{ per: "batch" }, "any", true],
  [{ per: "batch", unbiased: true }, "any", false],
  [{ per: "batch", unbiased: true, cap: 2 }, "any", true],
  [{ per: "batch", weights: "uniform" }, "any", false],
  [{ per: "batch", cover: true }, "each-once", false],
  [{ per: "batch", cover: true, fraction: 0.5 }, "at-most-once", true],
  [{ per: "batch", unbiased: true, normalise: true }, "any", true],
  [{ fraction: 0.5, unbiased: true, normalise: true }, "at-most-once", false],
  [{ fraction: 0.5 }, "at-most-once", true],
  [{ fraction: 0.5, unbiased: true }, "at-most-once", false],
  [{}, "each-once", false],
])("%j declares coverage %s; another objective: %s", (given, coverage, changes) => {
  const options = weighted.options.parse(given);
  expect(weighted.coverage(options)).toBe(coverage);
  expect(weighted.changesObjective?.(options)).toBe(changes);
});
