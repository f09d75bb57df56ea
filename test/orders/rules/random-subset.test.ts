import { describe, expect, test } from "vitest";
import { allocateMemory } from "../../../src/orders/context.js";
import randomSubset from "../../../src/orders/rules/random-subset.js";
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

  test("redraw: never: one subset for a seed's whole run, shuffled each epoch; each pair equally often over seeds", () => {
    const options = { fraction: 1 / 3, redraw: "never" };
    const of = (seed: number, epoch: number) =>
      resultOf("random-subset", { labels: new Uint32Array(6), classCount: 1, seed, epoch, options });
    const pairs = new Map<string, number>();
    const sequences = new Map<string, number>();
    for (let seed = 0; seed < 3000; seed++) {
      const first = of(seed, 0);
      expect([...(first.inclusion ?? [])]).toEqual([1 / 3, 1 / 3]);
      const pair = [...first.indices].sort().join();
      expect([...of(seed, 1).indices].sort().join()).toBe(pair);
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
      const sequence = [...first.indices].join();
      sequences.set(sequence, (sequences.get(sequence) ?? 0) + 1);
    }
    expect(pairs.size).toBe(15);
    expect(chiSquare(pairs.values())).toBeLessThan(chiSquareBounds(14).high);
    expect(sequences.size).toBe(30);
    expect(chiSquare(sequences.values())).toBeLessThan(chiSquareBounds(29).high);
    expect(new Set([0, 1, 2, 3, 4, 5].map((epoch) => [...of(0, epoch).indices].join())).size).toBe(2);
  });

  test.each([
    [0.5, 12],
    [0.4, 11], // 4 of 11: a round ends within an epoch
    [0.7, 11],
  ])("redraw: cover: fraction %s of %i, each sample once before any comes twice", (fraction, n) => {
    const memory = allocateMemory(randomSubset.memory ?? {}, n);
    const inputs = { labels: new Uint32Array(n), classCount: 1, memory, options: { fraction, redraw: "cover" } };
    const epochs = Array.from({ length: 30 }, (_, epoch) => [
      ...resultOf("random-subset", { ...inputs, epoch }).indices,
    ]);
    for (const epoch of epochs) expect(new Set(epoch).size).toBe(epoch.length);
    const drawn = epochs.map((_, at) => epochs.slice(0, at + 1).flat());
    for (const soFar of drawn) {
      const times = Array.from({ length: n }, (_, sample) => soFar.filter((one) => one === sample).length);
      expect(Math.max(...times) - Math.min(...times)).toBeLessThan(2);
    }
    expect(epochs[0]).toEqual([
      ...resultOf("random-subset", { labels: inputs.labels, classCount: 1, options: { fraction } }).indices,
    ]);
    expect(epochs[0]).not.toEqual(epochs[2]);
  });

  test("redraw changes no hash where it is left out", () => {
    expect(randomSubset.options.parse({ fraction: 0.5 })).toEqual({ fraction: 0.5 });
    const objective = (options: object) => randomSubset.changesObjective?.(randomSubset.options.parse(options));
    expect([{}, { fraction: 0.5 }, { fraction: 0.5, redraw: "never" }].map(objective)).toEqual([false, false, true]);
  });

  test.each([0, -0.1, 2, Number.NaN, "half"])("refuses fraction %j", (fraction) => {
    expect(() => resultOf("random-subset", { options: { fraction } })).toThrow();
  });
});
