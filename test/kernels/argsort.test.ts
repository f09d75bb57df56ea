import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { argsort, type Direction } from "../../src/kernels/argsort.js";
import { argsortWithin } from "../../src/kernels/argsort-within.js";
import { groupByClass } from "../../src/kernels/classes.js";
import * as plain from "../../src/kernels/plain/argsort.js";
import { topK } from "../../src/kernels/top-k.js";

interface Vector {
  name: string;
  keys: number[];
  ascending: number[];
  descending: number[];
}

const DIRECTIONS: readonly Direction[] = ["ascending", "descending"];
const vectors: Vector[] = JSON.parse(readFileSync(join(import.meta.dirname, "argsort-vectors.json"), "utf8"));
const keysOf = (vector: Vector) => new Float32Array(Uint32Array.from(vector.keys).buffer);

describe.each(DIRECTIONS)("%s", (direction) => {
  test("a small example", () => {
    const keys = Float32Array.of(2, Number.NaN, 0.5, 2, -0, Number.POSITIVE_INFINITY, 0);
    const expected = { ascending: [4, 6, 2, 0, 3, 5, 1], descending: [5, 0, 3, 2, 4, 6, 1] };
    expect([...argsort(keys, direction)]).toEqual(expected[direction]);
    expect([...topK(keys, 3, direction)]).toEqual(expected[direction].slice(0, 3));
  });

  test.each(vectors)("argsort equals numpy's stable one: $name", (vector) => {
    const keys = keysOf(vector);
    const expected = vector[direction];
    expect([...argsort(keys, direction)]).toEqual(expected);
    expect([...plain.argsort(keys, direction)]).toEqual(expected);
  });

  test.each(vectors)("topK is its beginning: $name", (vector) => {
    const keys = keysOf(vector);
    for (const k of new Set([0, Math.min(1, keys.length), Math.floor(keys.length / 3), keys.length])) {
      expect([...topK(keys, k, direction)]).toEqual(vector[direction].slice(0, k));
    }
  });

  test.each(vectors)("argsortWithin is it, class by class: $name", (vector) => {
    const keys = keysOf(vector);
    const classes = Uint32Array.from(keys, (_, i) => (i * i) % 5); // never 2 or 3
    const { indices, offsets } = argsortWithin(keys, classes, 6, direction);
    const expected = groupByClass(Uint32Array.from(vector[direction]), classes, 6);
    expect(indices).toEqual(expected.indices);
    expect(offsets).toEqual(expected.offsets);
  });
});

test("is ascending unless told otherwise, leaves its input alone and writes where told", () => {
  const keys = Float32Array.of(3, 1, 2);
  const out = new Uint32Array(3);
  expect(argsort(keys, undefined, out)).toBe(out);
  expect([...out]).toEqual([1, 2, 0]);
  expect([...keys]).toEqual([3, 1, 2]);
  const grouped = { indices: new Uint32Array(3), offsets: new Uint32Array(3) };
  expect(argsortWithin(keys, Uint32Array.of(1, 0, 1), 2, "ascending", grouped)).toBe(grouped);
  expect([[...grouped.indices], [...grouped.offsets]]).toEqual([
    [1, 2, 0],
    [0, 1, 3],
  ]);
  const chosen = new Uint32Array(1);
  expect(topK(keys, 1, "descending", chosen)).toBe(chosen);
  expect([...chosen]).toEqual([0]);
});

test("works on parts of larger arrays", () => {
  const keys = Float32Array.of(9, 3, 1, 2, 9).subarray(1, 4);
  const out = new Uint32Array(5).fill(7);
  argsort(keys, "ascending", out.subarray(1, 4));
  expect([...out]).toEqual([7, 1, 2, 0, 7]);
});

describe("refuses", () => {
  const keys = new Float32Array(4);

  test("an `out` of another length", () => {
    const message = "out has 3 entries, expected 4";
    expect(() => argsort(keys, "ascending", new Uint32Array(3))).toThrow(new RangeError(message));
    expect(() => topK(keys, 4, "ascending", new Uint32Array(3))).toThrow(new RangeError(message));
  });

  test.each([-1, 5, 1.5, Number.NaN])("k = %d of 4", (k) => {
    expect(() => topK(keys, k, "ascending")).toThrow(
      new RangeError(`cannot take ${k} of 4 samples, expected an integer from 0 to 4`),
    );
  });

  test("a class that is not there, naming the sample", () => {
    expect(() => argsortWithin(keys, Uint32Array.of(0, 2, 3, 9), 3)).toThrow(
      new RangeError("sample 2 has class 3, expected 0 to 2"),
    );
    expect(() => argsortWithin(keys, new Uint32Array(4), 0)).toThrow(
      new RangeError("sample 0 has class 0, expected no sample where there are no classes"),
    );
    expect(() => argsortWithin(keys, new Uint32Array(3), 1)).toThrow(
      new RangeError("classes has 3 entries, expected 4"),
    );
  });
});
