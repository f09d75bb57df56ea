import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashValue, sha256 } from "../../src/record/hash.js";

describe("sha256", () => {
  test("of nothing, and of `abc`, as FIPS 180 publishes them", () => {
    expect(sha256()).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(sha256(Uint8Array.of(0x61, 0x62, 0x63))).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });

  test("is over the arrays' little-endian bytes one after another, left-out ones skipped", () => {
    const bytes = Buffer.alloc(4 + 8 + 4);
    bytes.writeUInt32LE(0x01020304, 0);
    bytes.writeDoubleLE(0.1, 4);
    bytes.writeFloatLE(Number.NaN, 12);
    const expected = createHash("sha256").update(bytes).digest("hex");
    expect(sha256(Uint32Array.of(0x01020304), Float64Array.of(0.1), undefined, Float32Array.of(Number.NaN))).toBe(
      expected,
    );
  });

  test("of a view is over the view alone", () => {
    const all = Uint32Array.of(1, 2, 3, 4);
    expect(sha256(all.subarray(1, 3))).toBe(sha256(Uint32Array.of(2, 3)));
  });
});

describe("hashValue", () => {
  test("is the SHA-256 of JSON with sorted keys, at every depth", () => {
    const json = '{"a":[{"b":1,"c":null}],"z":{"x":"é","y":0.1}}';
    expect(hashValue({ z: { y: 0.1, x: "é" }, a: [{ c: null, b: 1 }] })).toBe(
      createHash("sha256").update(json, "utf8").digest("hex"),
    );
  });

  test("does not depend on the order of keys", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).reverse());
        expect(hashValue(turned)).toBe(hashValue(value));
      }),
    );
  });

  test("a key without a value is as if it were not there: so is a left-out option", () => {
    expect(hashValue({ a: 1, b: undefined })).toBe(hashValue({ a: 1 }));
  });

  test.each([
    [{ a: 1 }, { a: 2 }],
    [{ a: 1 }, { b: 1 }],
    [
      [1, 2],
      [2, 1],
    ],
    [{ a: 1 }, { a: "1" }],
    [{ a: null }, {}],
    [{ a: { b: 1 } }, { a: 1, b: 1 }],
  ])("%j and %j have other hashes", (a, b) => {
    expect(hashValue(a)).not.toBe(hashValue(b));
  });
});
