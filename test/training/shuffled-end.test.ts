import fc from "fast-check";
import { expect, test } from "vitest";
import { batchSizes } from "../../src/batching/index.js";
import { cut } from "../../src/orders/contract.js";
import { leastUpdates, shuffledEnd } from "../../src/training/shuffled-end.js";

const size = fc.integer({ min: 1, max: 40 });

/** Batches that hold all samples of an epoch which begins after so many of the updates. */
function batchesFrom(
  batching: { name: string; options: Record<string, unknown> },
  samples: number,
  [spent, updates]: [number, number],
) {
  const spending = { spent, budget: updates, until: updates, perSample: 0, perBatch: 1 };
  return cut(samples, batchSizes(batching, { epoch: 3, epochs: 2.5, samples, spending })).length - 1;
}

test("of updates the least number is kept from where on the sizes there hold all samples", () => {
  fc.assert(
    fc.property(
      size,
      size,
      fc.integer({ min: 1, max: 300 }),
      fc.constantFrom("linear", "geometric"),
      (from, to, samples, name) => {
        const updates = 2 * samples + 1;
        const batching = { name, options: { from, to, per: "batch" } };
        const { batches, kept } = shuffledEnd(batching, samples, updates);
        expect(batchesFrom(batching, samples, [updates - kept, updates])).toBe(batches);
        expect(batchesFrom(batching, samples, [updates - kept + 1, updates])).toBeGreaterThan(kept - 1);
        expect(kept - batches).toBeGreaterThanOrEqual(0);
        if (from <= to) expect(batches).toBe(kept);
      },
    ),
  );
});

test("of one size, whatever is counted", () => {
  const batching = (lastBatch: string) => ({ name: "constant", options: { size: 5, lastBatch } });
  expect(shuffledEnd(batching("keep"), 24, 13)).toEqual({ samples: 24, batches: 5, kept: 5 });
  expect(shuffledEnd(batching("keep"), 24, undefined)).toMatchObject({ samples: 24 });
  expect(shuffledEnd(batching("drop"), 24, 13)).toEqual({ samples: 20, batches: 4, kept: 4 });
  expect(shuffledEnd(batching("drop"), 24, undefined)).toMatchObject({ samples: 20 });
});

test("of fewer updates than hold all samples every one would be kept", () => {
  expect(shuffledEnd({ name: "constant", options: { size: 5 } }, 24, 3)).toMatchObject({ kept: 3 });
});

test.each([
  ["constant", { size: 5 }, 24, 6],
  ["constant", { size: 5, lastBatch: "drop" }, 24, 5],
  ["constant", { size: 1 }, 24, 25],
  ["constant", { size: 64 }, 24, 2],
  ["linear", { from: 2, to: 8, per: "batch" }, 24, 6],
  ["linear", { from: 8, to: 2, per: "batch" }, 240, 49],
  ["geometric", { from: 2, to: 64, per: "batch" }, 240, 16],
])(
  "the least updates that leave an order something are what an error advises: %s %j, %i samples",
  (name, options, samples, expected) => {
    const least = leastUpdates({ name, options }, samples);
    const left = (updates: number) => updates - shuffledEnd({ name, options }, samples, updates).kept;
    expect(left(least)).toBeGreaterThan(0);
    expect(left(least - 1)).toBe(0);
    expect(least).toBe(expected);
  },
);
