// What the header of configs/batch-sizes.yaml says of its arms: which of sizes, rates and updates each has in common with another.
import { join } from "node:path";
import { expect, test } from "vitest";
import { batchSizes, learningRateFactors } from "../../src/batching/index.js";
import { type ArmConfig, resolveConfig } from "../../src/config/config.js";
import { ConfigSource } from "../../src/config/config-source.js";
import { OrderSources } from "../../src/config/order-sources.js";
import { packageRoot } from "../../src/package-root.js";
import { catalogue } from "./fake-catalogue.js";

const { arms } = resolveConfig(
  ConfigSource.read(join(packageRoot, "configs", "batch-sizes.yaml")),
  OrderSources.builtIn,
  catalogue,
);
const SAMPLES = 1437; // of the digits, which `ibatch` trains on
const EPOCHS = 6;
const rising = [16, 26, 35, 45, 54, 64];
const falling = rising.toReversed();
const all = (value: number) => new Array(EPOCHS).fill(value);
const over16 = (sizes: readonly number[]) => sizes.map((size) => size / 16);
const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);

/** Of each epoch: the size of its batches, how many there are, and the factor of their rates, which is one and the same. */
function batchesOf({ batching }: ArmConfig) {
  const epochs = Array.from({ length: EPOCHS }, (_, epoch) => {
    const run = { epoch, epochs: EPOCHS, samples: SAMPLES };
    const size = batchSizes(batching, run);
    const updates = Math.ceil(SAMPLES / size(0));
    const factors = learningRateFactors(batching, size, run, updates);
    expect(new Set(factors).size).toBe(1);
    expect(size(updates - 1)).toBe(size(0));
    return { size: size(0), updates, factor: factors[0] };
  });
  return {
    sizes: epochs.map(({ size }) => size),
    updates: total(epochs.map(({ updates }) => updates)),
    factors: epochs.map(({ factor }) => factor),
  };
}

test.each([
  ["shuffled", all(16), 540, all(1)],
  ["growing", rising, 270, over16(rising)],
  ["growing-sizes", rising, 270, all(1)],
  ["growing-rates", all(16), 540, over16(rising)],
  ["shrinking", falling, 270, over16(falling)],
  ["shrinking-sizes", falling, 270, all(1)],
  ["shrinking-rates", all(16), 540, over16(falling)],
  ["fewer-updates", all(32), 270, all(1)],
])("%s: sizes %j in %i updates, rates times %j", (arm, sizes, updates, factors) => {
  expect(batchesOf(arms[arm])).toEqual({ sizes, updates, factors });
});

test("these are all arms, with the order, the schedule and the epochs in common", () => {
  expect(Object.keys(arms)).toHaveLength(8);
  const common = Object.values(arms).map(({ order, schedule, epochs }) => ({ order, schedule, epochs }));
  expect(new Set(common.map((one) => JSON.stringify(one))).size).toBe(1);
  expect(common[0]).toMatchObject({ order: { name: "shuffled" }, epochs: EPOCHS });
});
