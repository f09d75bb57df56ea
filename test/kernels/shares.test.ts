import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { proportionalShares } from "../../src/kernels/shares.js";

const sequenceOf = (length: number) => Uint32Array.from({ length }, (_, c) => c);

/** Any counts with any part of them to take and any offset. */
const dealt = (largest: number) =>
  fc
    .array(fc.integer({ min: 0, max: largest }), { minLength: 1, maxLength: 30 })
    .filter((counts) => counts.some((count) => count > 0))
    .chain((counts) => {
      const total = counts.reduce((sum, count) => sum + count, 0);
      return fc.record({
        counts: fc.constant(Uint32Array.from(counts)),
        total: fc.constant(total),
        take: fc.integer({ min: 0, max: total }),
        offset: fc.integer({ min: 0, max: total - 1 }),
        sequence: fc.shuffledSubarray([...counts.keys()], { minLength: counts.length }),
      });
    });

describe("proportionalShares", () => {
  test("of 5, 4 and 2, three: one or two, one or two, none or one", () => {
    const counts = Uint32Array.of(5, 4, 2);
    const shares = Array.from({ length: 11 }, (_, offset) => [
      ...proportionalShares(counts, sequenceOf(3), 3, offset, new Uint32Array(3)),
    ]);
    // By how much floor((0, 15, 27, 33 + offset) / 11) grows.
    expect(shares.map((share) => share.join(""))).toEqual([
      "111",
      "111",
      "111",
      "111",
      "111",
      "111",
      "120",
      "210",
      "210",
      "210",
      "210",
    ]);
    // Over all offsets each class has exactly its share: 3·5, 3·4, 3·2 elevenths.
    expect([0, 1, 2].map((c) => shares.reduce((sum, share) => sum + share[c], 0))).toEqual([15, 12, 6]);
  });

  const holdsFor = (largest: number) =>
    fc.property(dealt(largest), ({ counts, total, take, offset, sequence }) => {
      const shares = proportionalShares(
        counts,
        Uint32Array.from(sequence),
        take,
        offset,
        new Uint32Array(counts.length),
      );
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(take);
      let before = BigInt(offset);
      for (const c of sequence) {
        // Against the definition, in whole numbers of any length.
        const after = before + BigInt(counts[c]) * BigInt(take);
        expect(shares[c]).toBe(Number(after / BigInt(total) - before / BigInt(total)));
        before = after;
        const exact = (BigInt(counts[c]) * BigInt(take)) / BigInt(total);
        expect(BigInt(shares[c]) - exact === 0n || BigInt(shares[c]) - exact === 1n).toBe(true);
        expect(shares[c]).toBeLessThanOrEqual(counts[c]);
      }
    });

  test("sums to what is taken, each floor or ceil of its share and no more than there is", () => {
    fc.assert(holdsFor(40), { seed: 1, numRuns: 500 });
  });

  test("does so for billions of samples, where products need 64 bits", () => {
    fc.assert(holdsFor(Math.floor((2 ** 32 - 1) / 30)), { seed: 2, numRuns: 500 });
  });

  test("over all offsets, each class gets exactly its share", () => {
    const counts = Uint32Array.of(1, 0, 10, 100, 7);
    const sums = new Float64Array(5);
    for (let offset = 0; offset < 118; offset++) {
      const shares = proportionalShares(counts, Uint32Array.of(3, 1, 4, 0, 2), 16, offset, new Uint32Array(5));
      for (let c = 0; c < 5; c++) sums[c] += shares[c];
    }
    expect([...sums]).toEqual([...counts].map((count) => count * 16));
  });

  test("of nothing, nothing", () => {
    expect([...proportionalShares(new Uint32Array(2), sequenceOf(2), 0, 0, Uint32Array.of(5, 5))]).toEqual([0, 0]);
  });

  test("refuses to take more than there is, and an offset out of range", () => {
    const counts = Uint32Array.of(2, 3);
    expect(() => proportionalShares(counts, sequenceOf(2), 6, 0, new Uint32Array(2))).toThrow(
      new RangeError("cannot take 6 of 5"),
    );
    expect(() => proportionalShares(counts, sequenceOf(2), 2, 5, new Uint32Array(2))).toThrow(
      new RangeError("offset is 5, expected an integer from 0 to 4"),
    );
  });
});
