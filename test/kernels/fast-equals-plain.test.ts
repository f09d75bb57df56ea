import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { argsort, type Direction } from "../../src/kernels/argsort.js";
import { argsortWithin } from "../../src/kernels/argsort-within.js";
import { fastCalls } from "../../src/kernels/module.js";
import * as plainArgsort from "../../src/kernels/plain/argsort.js";
import * as plainWithin from "../../src/kernels/plain/argsort-within.js";
import { exponentialOf } from "../../src/kernels/plain/exponential.js";
import * as plainShuffle from "../../src/kernels/plain/shuffle.js";
import * as plainTopK from "../../src/kernels/plain/top-k.js";
import * as plainWeighted from "../../src/kernels/plain/weighted-sample.js";
import { random } from "../../src/kernels/random.js";
import { shuffled } from "../../src/kernels/shuffle.js";
import { topK } from "../../src/kernels/top-k.js";
import { weightedKeys, weightedSample } from "../../src/kernels/weighted-sample.js";

// Around the vectors' width, the tables' sizes, and the bounds at which the fast forms change their way of working.
const SMALL = [0, 1, 2, 3, 5, 255, 256, 257, 511, 513, 2047, 2049];
const MIDDLE = [8191, 8193, 65535, 65536, 65537];
const LARGE = 300_001;
const DIRECTIONS: readonly Direction[] = ["ascending", "descending"];

const ODD = [Number.NaN, -0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-45, -1e-45, 1e-38, -3e38];
const KINDS: Record<string, (i: number, u: number, n: number) => number> = {
  losses: (_, u) => -Math.log(1 - u),
  "of both signs": (_, u) => u - 0.5,
  "of all sizes": (_, u) => (u - 0.5) * 10 ** (70 * ((u * 1000) % 1) - 35),
  tied: (_, u) => Math.floor(5 * u) - 2,
  "all equal": () => 3,
  sorted: (i) => i,
  reversed: (i, _, n) => n - i,
  "all NaN": () => Number.NaN,
  odd: (_, u) => ODD[Math.floor(u * ODD.length)],
  "one far out": (i, u) => (i === 1 ? 3e38 : u),
};

function keysOf(kind: string, n: number): Float32Array {
  const numbers = random(n, "noise", 0);
  return Float32Array.from({ length: n }, (_, i) => KINDS[kind](i, numbers.uniform(), n));
}

/** The fast form ran, and its bits are those of the plain one. */
function agree<T extends object>(fast: () => T, plain: () => T): void {
  const before = fastCalls();
  const result = fast();
  expect(fastCalls()).toBe(before + 1);
  const expected = plain();
  expect(fastCalls()).toBe(before + 1);
  expectSameBits(result, expected);
}

/** Of an array, or of each array and number in an object; by bytes, since large arrays are slow to compare otherwise. */
function expectSameBits(result: object, expected: object): void {
  expect(bitsOf(result)).toEqual(bitsOf(expected));
}

function bitsOf(result: object): Record<string, string> {
  const parts = ArrayBuffer.isView(result) ? { result } : result;
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, digestOf(part)]));
}

function digestOf(part: unknown): string {
  if (!ArrayBuffer.isView(part)) return String(part);
  const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
  return `${bytes.length} bytes, ${createHash("sha256").update(bytes).digest("hex")}`;
}

const MANY_OF = ["losses", "odd", "one far out"];
const everyKind = Object.keys(KINDS).flatMap((kind) => [
  ...SMALL.map((n) => ({ kind, n })),
  ...(MANY_OF.includes(kind) ? [...MIDDLE, LARGE].map((n) => ({ kind, n })) : [{ kind, n: 8193 }]),
]);

describe.each(everyKind)("$n keys, $kind", ({ kind, n }) => {
  const keys = keysOf(kind, n);

  test.each(DIRECTIONS)("sorted %s, and the first few", (direction) => {
    const sorted = plainArgsort.argsort(keys, direction);
    agree(
      () => argsort(keys, direction),
      () => sorted,
    );
    for (const k of [0, 1, 10, Math.floor(n / 100), Math.floor(n / 3), n - 1, n]) {
      if (k < 0 || k > n) continue;
      agree(
        () => topK(keys, k, direction),
        () => sorted.slice(0, k),
      );
    }
  });

  // Classes: one, some of them empty, more than are split further, more than there are samples or bits beside an index.
  test.each([1, 12, 1000, 10_000, 40_000])("sorted within %d classes", (classCount) => {
    const numbers = random(1, "noise", n);
    const classes = Uint32Array.from({ length: n }, () => numbers.below(classCount) & ~2);
    agree(
      () => argsortWithin(keys, classes, classCount, "descending"),
      () => plainWithin.argsortWithin(keys, classes, classCount, "descending"),
    );
  });
});

test("the first few, where a strided sample misleads", () => {
  // All that the sample sees is large, and the rest is small; or the other way round.
  for (const seen of [0, 1]) {
    const keys = Float32Array.from({ length: 65536 }, (_, i) => (i % 16 === 0 ? seen : 1 - seen));
    for (const k of [100, 5000, 20_000]) {
      agree(
        () => topK(keys, k, "ascending"),
        () => plainTopK.topK(keys, k, "ascending"),
      );
    }
  }
});

describe.each([...SMALL, ...MIDDLE, LARGE])("%d weights", (n) => {
  const numbers = random(n, "noise", 1);
  const weights: Record<string, Float32Array> = {
    losses: Float32Array.from({ length: n }, () => -Math.log(1 - numbers.uniform())),
    "with zeros of both signs": Float32Array.from({ length: n }, (_, i) => [0, -0, 1, 1e-6][(i * i) % 4]),
    "very small": new Float32Array(n).fill(1e-44),
    "very large": new Float32Array(n).fill(3e38),
    "far apart": Float32Array.from({ length: n }, (_, i) => 10 ** ((i % 60) - 30)),
  };

  test.each(Object.keys(weights))("keys: %s", (kind) => {
    agree(
      () => weightedKeys(weights[kind], random(3, "order", n)),
      () => plainWeighted.weightedKeys(weights[kind], random(3, "order", n)),
    );
  });

  const sampled = n > SMALL[SMALL.length - 1] ? ["losses", "with zeros of both signs"] : Object.keys(weights);
  test.each(sampled)("samples: %s", (kind) => {
    const positive = weights[kind].filter((weight) => weight > 0).length;
    for (const count of new Set([0, Math.floor(positive / 10), Math.floor(positive / 2), positive])) {
      agree(
        () => weightedSample(weights[kind], count, random(3, "order", n)),
        () => plainWeighted.weightedSample(weights[kind], count, random(3, "order", n)),
      );
    }
  });

  test("shuffled", () => {
    const values = Uint32Array.from({ length: n }, (_, i) => i ^ 5);
    agree(
      () => shuffled(values, random(4, "order", n)),
      () => plainShuffle.shuffled(values, random(4, "order", n)),
    );
  });
});

// Buckets of more than 2^14 values take a word a place, and from 2^21 values on there are fewer of them.
test.each([1_300_000, 2_200_000])("%d values shuffled", (length) => {
  const values = Uint32Array.from({ length }, (_, i) => i);
  const fast = shuffled(values, random(4, "order", 9));
  expectSameBits(fast, plainShuffle.shuffled(values, random(4, "order", 9)));
});

describe("exponentialOf", () => {
  const relativeError = (word: number) => {
    const fromZero = (word + 0.5) / 2 ** 32;
    const fromOne = (2 ** 32 - word - 0.5) / 2 ** 32;
    const exact = fromZero < 0.5 ? -Math.log(fromZero) : -Math.log1p(-fromOne);
    return Math.abs(exponentialOf(word) / exact - 1);
  };

  test("is −ln of the middle of its word's interval, within 3e-7", () => {
    const numbers = random(0, "noise", 0);
    let worst = 0;
    for (let i = 0; i < 500_000; i++) worst = Math.max(worst, relativeError(numbers.uint32()));
    for (let power = 0; power <= 32; power++) {
      for (let by = -1000; by < 1000; by++) {
        const word = 2 ** power + by;
        if (word >= 0 && word < 2 ** 32)
          worst = Math.max(worst, relativeError(word), relativeError(2 ** 32 - 1 - word));
      }
    }
    expect(worst).toBeLessThan(3e-7);
  });

  test("is finite and above 0 at both ends", () => {
    expect(exponentialOf(0)).toBeCloseTo(33 * Math.LN2, 4);
    expect(exponentialOf(0xffffffff)).toBe(2 ** -33);
  });
});
