import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { multiplyHigh, philox4x32 } from "../../src/kernels/philox.js";

const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe("philox4x32", () => {
  // Random123, examples/kat_vectors, lines "philox4x32 10".
  test.each([
    {
      counter: [0, 0, 0, 0],
      key: [0, 0],
      expected: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    },
    {
      counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      key: [0xffffffff, 0xffffffff],
      expected: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      expected: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ])("gives the published answer for counter $counter", ({ counter: [c0, c1, c2, c3], key: [k0, k1], expected }) => {
    const out = new Uint32Array(4);
    philox4x32(c0, c1, c2, c3, k0, k1, out);
    expect([...out]).toEqual(expected);
  });

  test("multiplyHigh is the upper half of the product, for any two words", () => {
    fc.assert(
      fc.property(uint32, uint32, (x, y) => {
        expect(multiplyHigh(x, y)).toBe(Number((BigInt(x) * BigInt(y)) >> 32n));
      }),
      { numRuns: 2000, seed: 1, examples: [[2 ** 32 - 1, 2 ** 32 - 1]] },
    );
  });
});
