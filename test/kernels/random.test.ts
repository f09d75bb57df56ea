import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { philox4x32 } from "../../src/kernels/philox.js";
import { BulkWords } from "../../src/kernels/plain/bulk-words.js";
import { fnv1a64, type Random, random, STREAMS, type Stream } from "../../src/kernels/random.js";
import { chiSquare, chiSquareBounds } from "./chi-square.js";

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const streams = fc.constantFrom(...STREAMS);
const places = fc.nat({ max: Number.MAX_SAFE_INTEGER });

function take(numbers: Random, count: number): number[] {
  return Array.from({ length: count }, () => numbers.uint32());
}

describe("random", () => {
  // Reckoned apart from this code, with Python's whole numbers.
  test.each<[number, Stream, number, number[]]>([
    [0, "order", 0, [0x06ceda92, 0x0e18a955, 0x89211e4b, 0x17198afb, 0x533d78d5, 0x2f0e95e8]],
    [2 ** 32 - 1, "noise", 2 ** 40 + 5, [0x42b774dc, 0x3a85b958, 0xb0570474, 0x8fdf1e8a, 0x8fda98f1, 0x12239769]],
    [42, "train-sample", 7, [0x95c87a86, 0x1c37f4d3, 0xd2f6ffe1, 0x904d5112, 0x40a44f88, 0xd77a7b71]],
  ])("(%d, %s, %d) gives the words written down", (seed, stream, at, expected) => {
    expect(take(random(seed, stream, at), 6)).toEqual(expected);
  });

  test("equal places give equal bits, whatever was drawn elsewhere", () => {
    fc.assert(
      fc.property(seeds, streams, places, (seed, stream, at) => {
        const first = take(random(seed, stream, at), 9);
        take(random(seed, stream, at + 1), 3);
        expect(take(random(seed, stream, at), 9)).toEqual(first);
      }),
      { seed: 2 },
    );
  });

  test("seed, stream and place each make other numbers; (seed 0, at 1) is not (seed 1, at 0)", () => {
    const first = new Set<string>();
    let places = 0;
    for (let seed = 0; seed < 20; seed++) {
      for (const stream of STREAMS) {
        for (const at of [0, 1, 2, 2 ** 32, 2 ** 33]) {
          first.add(take(random(seed, stream, at), 4).join());
          places++;
        }
      }
    }
    expect(first.size).toBe(places);
  });

  test("the streams are different names", () => {
    expect(new Set(STREAMS).size).toBe(STREAMS.length);
  });

  test.each([-1, 1.5, 2 ** 32, Number.NaN])("refuses the seed %d", (seed) => {
    expect(() => random(seed, "order", 0)).toThrow(
      new RangeError(`seed is ${seed}, expected an integer from 0 to 4294967295`),
    );
  });

  test.each([-1, 0.5, 2 ** 53, Number.NaN])("refuses the place %d", (at) => {
    expect(() => random(0, "order", at)).toThrow(
      new RangeError(`at (the epoch or step) is ${at}, expected an integer of at least 0`),
    );
  });
});

describe("below", () => {
  test("gives the numbers written down, rejecting where Lemire's method rejects", () => {
    const numbers = random(42, "order", 3);
    const big = 3 * 2 ** 30;
    const half = 2 ** 31 + 1;
    const bounds = [6, 6, 6, big, big, big, big, big, half, half, half, half, 10, 1];
    expect(bounds.map((bound) => numbers.below(bound))).toEqual([
      2, 4, 0, 2504382868, 638907270, 642494077, 1879047280, 2718574519, 1671145138, 2087198685, 435103488, 722945080,
      6, 0,
    ]);
  });

  test("is an integer from 0 to bound - 1, for any bound", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 2 ** 32 }), (seed, bound) => {
        const numbers = random(seed, "order", 0);
        for (let i = 0; i < 20; i++) {
          const value = numbers.below(bound);
          expect(Number.isInteger(value) && value >= 0 && value < bound).toBe(true);
        }
      }),
      {
        seed: 3,
        examples: [
          [0, 1],
          [0, 2 ** 32],
          [0, 2 ** 31],
        ],
      },
    );
  });

  test("all of 2^32 words pass through unchanged", () => {
    const numbers = random(5, "order", 0);
    const words = random(5, "order", 0);
    expect(Array.from({ length: 8 }, () => numbers.below(2 ** 32))).toEqual(take(words, 8));
  });

  test.each([1, 2, 3, 7, 10, 24, 100])("is uniform below %d", (bound) => {
    const counts = new Float64Array(bound);
    const numbers = random(6, "order", 0);
    for (let i = 0; i < 1000 * bound; i++) counts[numbers.below(bound)]++;
    if (bound === 1) return;
    expect(chiSquare(counts)).toBeLessThan(chiSquareBounds(bound - 1).high);
  });

  // With `word % bound`, the lower third would come twice as often as each other third.
  test("has no modulo bias: thirds of a bound of 3·2^30 come equally often", () => {
    const counts = new Float64Array(3);
    const numbers = random(7, "order", 0);
    for (let i = 0; i < 30_000; i++) counts[Math.floor(numbers.below(3 * 2 ** 30) / 2 ** 30)]++;
    expect(chiSquare(counts)).toBeLessThan(28); // 2 degrees: once in a million
  });

  test.each([0, -3, 1.5, 2 ** 32 + 1, Number.NaN])("refuses the bound %d", (bound) => {
    expect(() => random(0, "order", 0).below(bound)).toThrow(RangeError);
  });
});

describe("uniform", () => {
  test("gives the numbers written down", () => {
    const numbers = random(1, "subset", 0);
    expect([numbers.uniform(), numbers.uniform()]).toEqual([0.4273074670703846, 0.7839677884983375]);
  });

  test("is in [0, 1), has 53 bits, and its hundredths are equally likely", () => {
    const numbers = random(8, "order", 0);
    const counts = new Float64Array(100);
    let odd = 0;
    for (let i = 0; i < 100_000; i++) {
      const value = numbers.uniform();
      if (!(value >= 0 && value < 1)) throw new Error(`${value}`);
      if ((value * 2 ** 53) % 2 === 1) odd++;
      counts[Math.floor(value * 100)]++;
    }
    expect(odd / 100_000).toBeCloseTo(0.5, 1);
    const { low, high } = chiSquareBounds(99);
    expect(chiSquare(counts)).toBeGreaterThan(low);
    expect(chiSquare(counts)).toBeLessThan(high);
  });
});

describe("bulk", () => {
  test("gives the key and the place, and counts its calls", () => {
    const numbers = random(1, "order", 2 ** 32 + 5);
    const first = numbers.bulk();
    expect(first).toMatchObject({ atLow: 5, atHigh: 1, tag: 1 });
    expect(numbers.bulk()).toEqual({ ...first, tag: 2 });
    // Block 0 under that key is what uint32() gives: the bulk calls' blocks begin at tag · 2^40.
    const words = new Uint32Array(4);
    philox4x32(0, 0, 5, 1, first.key0, first.key1, words);
    expect(take(numbers, 4)).toEqual([...words]);
  });

  test("has four blocks a group, word by word", () => {
    const place = random(1, "order", 2).bulk();
    const words = new BulkWords(place);
    const seen = Array.from({ length: 32 }, () => words.next());
    // Word 4 · j + lane of a group of 16 is word j of block 4 · group + lane.
    const block = new Uint32Array(4);
    for (let b = 0; b < 8; b++) {
      philox4x32(b, 256, 2, 0, place.key0, place.key1, block);
      for (let j = 0; j < 4; j++) expect(seen[16 * (b >> 2) + 4 * j + (b & 3)]).toBe(block[j]);
    }
  });
});

describe("fnv1a64", () => {
  // draft-eastlake-fnv, appendix C.
  test.each([
    ["", 0xcbf29ce484222325n],
    ["a", 0xaf63dc4c8601ec8cn],
    ["foobar", 0x85944171f73967e8n],
  ])("of %j is the published one", (text, expected) => {
    const [low, high] = fnv1a64(text);
    expect((BigInt(high) << 32n) | BigInt(low)).toBe(expected);
  });
});
