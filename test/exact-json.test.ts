import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exactJson, plainNumbers, WholeFloat } from "../src/exact-json.js";

describe("exactJson", () => {
  test("is JSON.stringify where that loses nothing, on one line and laid out", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(exactJson(value, { nonFinite: "bare" })).toBe(JSON.stringify(value));
        expect(exactJson(value, { indent: 2, nonFinite: "quoted" })).toBe(JSON.stringify(value, null, 2));
      }),
    );
    const withoutValues = { a: undefined, b: [undefined, () => 1], c: {}, d: [] };
    expect(exactJson(withoutValues, { indent: 2, nonFinite: "bare" })).toBe(JSON.stringify(withoutValues, null, 2));
  });

  test.each([
    [new WholeFloat(1), "1.0"],
    [new WholeFloat(-0), "-0.0"],
    [new WholeFloat(1e22), "1e+22"],
    [2n ** 80n, "1208925819614629174706176"],
  ])("%s is written as %s", (value, text) => {
    expect(exactJson({ a: [value] }, { nonFinite: "bare" })).toBe(`{"a":[${text}]}`);
  });

  test("NaN and infinities stand bare, or as texts", () => {
    const value = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    expect(exactJson(value, { nonFinite: "bare" })).toBe("[NaN,Infinity,-Infinity]");
    expect(exactJson(value, { nonFinite: "quoted" })).toBe('["NaN","Infinity","-Infinity"]');
  });
});

test("plainNumbers rounds, and leaves the rest", () => {
  expect(plainNumbers({ a: [new WholeFloat(1), 2n ** 64n, "x", null, 0.5] })).toEqual({
    a: [1, 2 ** 64, "x", null, 0.5],
  });
});
