import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { emptyLedger } from "../../../src/orders/context.js";
import { chiSquare, chiSquareBounds } from "../../kernels/chi-square.js";
import { batchesOf, LOSSES, ledgerWith, resultOf, sorted, written } from "./run-order.js";

const ledger = ledgerWith(LOSSES);
const run = (options: Record<string, unknown> = {}, more = {}) =>
  batchesOf("loss-global", { ledger, options, ...more });
const ascending = (batches: number[][]) => batches.map((batch) => batch.sort((a, b) => a - b));

const problems = fc.record({
  losses: fc.array(fc.constantFrom(0, 0, 0.5, 1, 2, 3, Number.NaN), { minLength: 1, maxLength: 60 }),
  sizes: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }),
  seed: fc.nat(),
  first: fc.constantFrom("highest", "lowest"),
  batches: fc.constantFrom("sorted", "shuffled"),
  jitter: fc.nat({ max: 10 }),
});

describe("loss-global", () => {
  test("11 samples in batches of 3, highest first and lowest first", () => {
    expect(written(run())).toBe("3,6,1 | 9,4,8 | 10,0,7 | 5,2");
    expect(written(run({ first: "lowest" }))).toBe("2,5,7 | 0,10,8 | 4,9,1 | 6,3");
  });

  test("spread: each batch has the hardest of the list's first part, one of the middle and one of the end", () => {
    // Places in turn: quantile 1/6 of batches 0, 1, 2; 1/4 of batch 3; 1/2 of 0, 1, 2; 3/4 of 3; 5/6 of 0, 1, 2.
    expect(ascending(run({ spread: true }))).toEqual([
      [3, 4, 7],
      [5, 6, 8],
      [1, 2, 10],
      [0, 9],
    ]);
  });

  test("batches shuffled: each keeps its size and holds neighbours; every sequence of them is equally likely", () => {
    const list = [3, 6, 1, 9, 4, 8, 10, 0, 7, 5, 2];
    const sequences = new Map<string, number>();
    for (let seed = 0; seed < 2400; seed++) {
      const batches = run({ batches: "shuffled" }, { seed });
      expect(batches.map((batch) => batch.length)).toEqual([3, 3, 3, 2]);
      for (const batch of batches) {
        const start = list.indexOf(batch[0]);
        expect(batch).toEqual(list.slice(start, start + batch.length));
      }
      const sequence = batches.map(([first]) => list.indexOf(first)).join();
      sequences.set(sequence, (sequences.get(sequence) ?? 0) + 1);
    }
    expect(sequences.size).toBe(24);
    expect(chiSquare(sequences.values())).toBeLessThan(chiSquareBounds(23).high);
  });

  test("batches of sizes that change take what they ask for", () => {
    expect(written(run({}, { size: (batch: number) => batch + 1 }))).toBe("3 | 6,1 | 9,4,8 | 10,0,7,5 | 2");
  });

  test("samples never seen come last, either way", () => {
    const some = ledgerWith([Number.NaN, 2, 1, Number.NaN]);
    const inputs = { labels: new Uint32Array(4), classCount: 1, size: 2, ledger: some };
    for (const [first, seen] of Object.entries({ highest: [1, 2], lowest: [2, 1] })) {
      const [known, unknown] = batchesOf("loss-global", { ...inputs, options: { first } });
      expect(known).toEqual(seen);
      expect(unknown.sort()).toEqual([0, 3]);
    }
  });

  test("equal losses come in no sequence of their own: two epochs and two seeds differ", () => {
    const inputs = { labels: new Uint32Array(200), classCount: 1, size: 50, ledger: ledgerWith(Array(200).fill(0)) };
    const ofEpochs = [0, 1].map((epoch) => written(batchesOf("loss-global", { ...inputs, epoch })));
    const ofSeeds = [0, 1].map((seed) => written(batchesOf("loss-global", { ...inputs, seed })));
    expect(new Set([...ofEpochs, ofSeeds[1]]).size).toBe(3);
  });

  test("before any loss is known it is the order shuffled, to the bit", () => {
    const inputs = { seed: 3, size: 2 };
    for (const options of [{}, { spread: true, batches: "shuffled", jitter: 4 }]) {
      expect(batchesOf("loss-global", { ...inputs, options })).toEqual(batchesOf("shuffled", inputs));
    }
  });

  test.each([
    ["mean-loss", "meanLoss"],
    ["margin", "margin"],
    ["entropy", "entropy"],
    ["el2n", "el2n"],
  ] as const)("by %s sorts by that column, which it declares when it is an extra one", (by, column) => {
    const values = { ...emptyLedger(11), [column]: Float32Array.from(LOSSES) };
    expect(written(batchesOf("loss-global", { ledger: values, options: { by } }))).toBe(written(run()));
    if (column === "meanLoss") return;
    expect(() => batchesOf("loss-global", { options: { by } })).toThrow(`the ledger has no ${by}`);
  });

  test("a permutation whatever the losses, ties and sizes: lowest first never comes back to a sample", () => {
    fc.assert(
      fc.property(problems, fc.boolean(), ({ losses, sizes, seed, ...options }, spread) => {
        const labels = new Uint32Array(losses.length);
        const size = (batch: number) => sizes[batch % sizes.length];
        const inputs = { labels, classCount: 1, size, seed, ledger: ledgerWith(losses) };
        const batches = batchesOf("loss-global", { ...inputs, options: { ...options, spread } });
        expect(sorted(batches)).toEqual([...labels.keys()]);
        for (const [b, batch] of batches.entries()) expect(batch.length).toBeLessThanOrEqual(size(b));
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test("jitter: nothing moves by that many places, and things do move", () => {
    const n = 300;
    const inputs = { labels: new Uint32Array(n), classCount: 1, size: 10 };
    const byIndex = ledgerWith(Array.from({ length: n }, (_, i) => i));
    for (const jitter of [1, 2, 7, 50]) {
      const options = { first: "lowest", jitter };
      const { indices } = resultOf("loss-global", { ...inputs, ledger: byIndex, options });
      const moves = [...indices].map((index, place) => Math.abs(index - place));
      expect(Math.max(...moves)).toBeLessThan(jitter);
      expect(Math.max(...moves)).toBeGreaterThanOrEqual(Math.floor(jitter / 2));
    }
  });

  test("spread: in each batch of k the ranks are those of the quantiles (j + ½) / k, within half as many as batches", () => {
    fc.assert(
      fc.property(problems, fc.integer({ min: 1, max: 120 }), ({ sizes, seed, batches: sequence }, n) => {
        const size = (batch: number) => sizes[batch % sizes.length];
        const byIndex = ledgerWith(Array.from({ length: n }, (_, i) => i));
        const options = { first: "lowest", spread: true, batches: sequence };
        const labels = new Uint32Array(n);
        const batches = batchesOf("loss-global", { labels, classCount: 1, size, seed, ledger: byIndex, options });
        for (const batch of ascending(batches)) {
          for (const [j, rank] of batch.entries()) {
            const wanted = (n * (j + 0.5)) / batch.length;
            expect(Math.abs(rank + 0.5 - wanted)).toBeLessThanOrEqual(batches.length / 2);
          }
        }
      }),
      { seed: 2, numRuns: 200 },
    );
  });
});
