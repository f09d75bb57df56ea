import { describe, expect, test } from "vitest";
import { addTo, emptyTally, measuredOf, toMeasured } from "../../src/training/measured.js";

test("means are over samples, never over batches: a short batch counts by its samples", () => {
  const tally = emptyTally();
  addTo(tally, { loss: Float32Array.of(1, 1, 1), correct: Uint8Array.of(1, 1, 0) });
  addTo(tally, { loss: Float32Array.of(5), correct: Uint8Array.of(1) });
  expect(measuredOf(tally)).toEqual({ loss: 2, accuracy: 0.75, count: 4 });
});

test("sums are float64: ten million losses of 0.1 keep their mean, where float32 sums would be off by percents", () => {
  const chunk = new Float32Array(100_000).fill(0.1);
  const tally = emptyTally();
  for (let at = 0; at < 100; at++) addTo(tally, { loss: chunk, correct: new Uint8Array(chunk.length) });
  expect(measuredOf(tally).loss).toBeCloseTo(Math.fround(0.1), 9);
  let inFloat32 = 0;
  for (let at = 0; at < 1e7; at++) inFloat32 = Math.fround(inFloat32 + Math.fround(0.1));
  expect(Math.abs(inFloat32 / 1e7 - 0.1)).toBeGreaterThan(0.005);
});

describe("a mean that JSON cannot hold is a text", () => {
  test.each([
    ["NaN", [1, Number.NaN]],
    ["NaN", [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
    ["Infinity", [1, Number.POSITIVE_INFINITY]],
    ["-Infinity", [1, Number.NEGATIVE_INFINITY]],
  ])("%s", (expected, losses) => {
    const { loss, count } = toMeasured({ loss: Float32Array.from(losses), correct: Uint8Array.of(1, 0) });
    expect({ loss, count }).toEqual({ loss: expected, count: 2 });
  });
});
