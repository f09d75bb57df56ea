import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { batchesOf, countsOf, LABELS, LOSSES, ledgerWith, sorted, written } from "./run-order.js";

const ledger = ledgerWith(LOSSES);
const run = (options: Record<string, unknown> = {}, more = {}) =>
  batchesOf("loss-per-class", { ledger, options, ...more });

describe("loss-per-class", () => {
  test("11 samples in batches of 3: each class sorted, merged by (rank + ½) / class size", () => {
    // Class 0: 10 at .1, 0 at .3, 7 at .5, 5 at .7, 2 at .9. Class 1: 6 at .125, 1 at .375, 9 at .625, 4 at .875.
    // Class 2: 3 at .25, 8 at .75.
    expect(written(run())).toBe("10,6,3 | 0,1,7 | 9,5,8 | 4,2");
    expect(written(run({ first: "lowest" }))).toBe("2,4,8 | 5,9,7 | 1,0,3 | 6,10");
  });

  test("spread: the classes one after another, dealt to the batches as in loss-global", () => {
    // 10 0 7 5 2 | 6 1 9 4 | 3 8 to batches 0 1 2 3, 0 1 2 3, 0 1 2.
    expect(run({ spread: true }).map((batch) => batch.sort((a, b) => a - b))).toEqual([
      [2, 4, 10],
      [0, 3, 6],
      [1, 7, 8],
      [5, 9],
    ]);
  });

  test("classes are found by their value, whatever array holds the labels", () => {
    const fresh = Uint32Array.from([...LABELS].map((label) => Number(`${label}`)));
    expect(run({}, { labels: fresh })).toEqual(run());
  });

  test("samples never seen come last in their class", () => {
    const some = ledgerWith(LOSSES.map((loss, i) => (i === 10 || i === 3 ? Number.NaN : loss)));
    // Class 0: 0 7 5 2 10; class 2: 8 3.
    expect(written(batchesOf("loss-per-class", { ledger: some }))).toBe("0,6,8 | 7,1,5 | 9,2,3 | 4,10");
  });

  test("before any loss is known it is the order shuffled, to the bit", () => {
    expect(batchesOf("loss-per-class", { seed: 5 })).toEqual(batchesOf("shuffled", { seed: 5 }));
  });

  const problems = fc.record({
    losses: fc.array(fc.constantFrom(0, 0, 0.5, 1, 2, Number.NaN), { minLength: 60, maxLength: 60 }),
    sizes: fc.array(fc.integer({ min: 1, max: 13 }), { minLength: 1, maxLength: 4 }),
    seed: fc.nat(),
    spread: fc.boolean(),
    batches: fc.constantFrom("sorted", "shuffled"),
    jitter: fc.nat({ max: 5 }),
  });

  test("a permutation; with equal classes each batch holds each class's share to within 1", () => {
    fc.assert(
      fc.property(problems, fc.constantFrom(2, 3, 4, 5), ({ losses, sizes, seed, ...options }, classCount) => {
        const labels = Uint32Array.from(losses.keys()).map((i) => i % classCount);
        const known = ledgerWith(losses.map((loss, i) => (i === 0 ? 1 : loss)));
        const size = (batch: number) => sizes[batch % (options.spread ? 1 : sizes.length)];
        const batches = batchesOf("loss-per-class", { labels, classCount, size, seed, ledger: known, options });
        expect(sorted(batches)).toEqual([...labels.keys()]);
        for (const batch of batches) {
          const short = options.spread && batch.length < sizes[0] ? 1 : 0;
          for (const count of countsOf(batch, labels, classCount)) {
            expect(Math.abs(count - batch.length / classCount)).toBeLessThanOrEqual(1 + short);
          }
        }
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test("with unequal classes a batch is off a class's share by at most 1 + classes × that share of the data, as its help says", () => {
    const classSizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 2, maxLength: 12 });
    let worst = 0;
    const tryOut = (sizes: readonly number[], size: number) => {
      const labels = Uint32Array.from(sizes.flatMap((count, c) => Array.from({ length: count }, () => c)));
      const known = ledgerWith([...labels.keys()].map((i) => (i * 7919) % 1013));
      for (const batch of batchesOf("loss-per-class", { labels, classCount: sizes.length, size, ledger: known })) {
        for (const [c, count] of countsOf(batch, labels, sizes.length).entries()) {
          const share = sizes[c] / labels.length;
          const off = Math.abs(count - batch.length * share);
          expect(off).toBeLessThanOrEqual(1 + sizes.length * share + 1e-9);
          worst = Math.max(worst, off);
        }
      }
    };
    fc.assert(fc.property(classSizes, fc.integer({ min: 1, max: 40 }), tryOut), { seed: 1, numRuns: 200 });
    worst = 0;
    // Four classes of one sample stand together in the middle: a batch of 4 has none of the 100 others, not 3.85.
    tryOut([1, 1, 1, 1, 100], 2);
    expect(worst).toBeGreaterThan(1.1);
  });

  test("batches are close in rank: with equal classes those of one batch differ by at most its rounds", () => {
    const classCount = 4;
    const labels = Uint32Array.from({ length: 80 }, (_, i) => i % classCount);
    // In each class the ranks are 0 … 19, highest first.
    const byRank = ledgerWith([...labels.keys()].map((i) => 100 - Math.floor(i / classCount)));
    for (const batch of batchesOf("loss-per-class", { labels, classCount, size: 10, ledger: byRank })) {
      const ranks = batch.map((i) => Math.floor(i / classCount));
      expect(Math.max(...ranks) - Math.min(...ranks)).toBeLessThanOrEqual(3);
    }
  });

  test("jitter moves samples by fewer places than that within their class", () => {
    const labels = Uint32Array.from({ length: 200 }, (_, i) => i % 2);
    const byRank = ledgerWith([...labels.keys()].map((i) => 1000 - i));
    const options = { jitter: 6 };
    const list = batchesOf("loss-per-class", { labels, classCount: 2, ledger: byRank, options }).flat();
    for (const c of [0, 1]) {
      const moves = list.filter((i) => labels[i] === c).map((i, rank) => Math.abs(Math.floor(i / 2) - rank));
      expect(Math.max(...moves)).toBeLessThan(6);
      expect(Math.max(...moves)).toBeGreaterThan(2);
    }
  });
});
