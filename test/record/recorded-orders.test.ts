import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { RecordOptions } from "../../src/record/checkpoint.js";
import { countOrders, filesOf, keepsOrders, planOf, readOrder } from "../../src/record/recorded-orders.js";
import { RunRecord } from "../../src/record/run-record.js";
import { mistake } from "../mistake.js";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ibatch-arrays-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
});

const plan = {
  indices: Uint32Array.of(4, 0, 2_000_000_000, 1),
  offsets: Uint32Array.of(0, 3, 4),
  learningRates: Float64Array.of(0.1, 1 / 3),
};
const weights = Float32Array.of(0.1, 2, 1e-30, 3e38);

function recorded(options: RecordOptions = { orders: "full", signals: "full" }): RunRecord {
  const record = new RunRecord(directory, options);
  const config = { epochs: 1, order: {} };
  record.start({ arm: "a", seed: 0, configHash: "abc", config, ibatchVersion: "0", state: "running" });
  return record;
}
/** The file with one bit turned. */
function damage(name: string, at: number): void {
  const path = join(directory, name);
  const bytes = readFileSync(path);
  bytes[at] ^= 1;
  writeFileSync(path, bytes);
}

describe("an order that was written", () => {
  test("is read back to the bit, with its weights where it has any", () => {
    const record = recorded();
    record.writePlan(0, plan);
    record.writePlan(12, { ...plan, weights });
    const { indices, offsets } = plan;
    expect(readOrder(directory, 0)).toEqual({ indices, offsets });
    expect(readOrder(directory, 12)).toEqual({ indices, offsets, weights });
    expect(readFileSync(join(directory, "orders/0012.weights.f32"))).toHaveLength(16);
  });

  test("has the hash that was given for its plan", () => {
    const { planSha256 } = recorded().writePlan(3, plan);
    expect(planOf(filesOf(directory), 3).planSha256).toBe(planSha256);
  });

  test("is counted from epoch 0 on, up to the first gap", () => {
    const record = recorded();
    expect([countOrders(filesOf(directory)), keepsOrders(filesOf(directory))]).toEqual([0, false]);
    for (const epoch of [0, 1, 3]) record.writePlan(epoch, plan);
    expect([countOrders(filesOf(directory)), keepsOrders(filesOf(directory))]).toEqual([2, true]);
  });
});

describe("an order that cannot be read says which file, and why", () => {
  const orders = (name: string) => `${directory}/orders/${name}`;

  test("an epoch that is not there", () => {
    recorded();
    expect(mistake(() => readOrder(directory, 0))).toBe(
      `${orders("0000.json")} is missing: take another run, or do that run again`,
    );
  });

  test("of a run that kept the hashes alone", () => {
    recorded({ orders: "hash", signals: "full" }).writePlan(0, plan);
    expect(countOrders(filesOf(directory))).toBe(1);
    expect(keepsOrders(filesOf(directory))).toBe(false);
    expect(mistake(() => readOrder(directory, 0))).toBe(
      `${orders("0000.u32")} is missing (a run with record.orders: hash keeps none): take another run, or do that run again`,
    );
  });

  test("whose indices have a bit turned", () => {
    recorded().writePlan(0, plan);
    damage("orders/0000.u32", 5);
    expect(mistake(() => readOrder(directory, 0))).toMatch(
      /orders\/0000\.u32 is damaged \(it hashes to [0-9a-f]{64}, recorded is [0-9a-f]{64}\): take another run, or do that run again$/,
    );
  });

  test("whose indices are cut off within a number", () => {
    recorded().writePlan(0, plan);
    writeFileSync(orders("0000.u32"), readFileSync(orders("0000.u32")).subarray(0, 14));
    expect(mistake(() => readOrder(directory, 0))).toBe(
      `${orders("0000.u32")} is damaged (14 bytes are no whole number of values): take another run, or do that run again`,
    );
  });

  test("whose weights have a bit turned, or are not there", () => {
    recorded().writePlan(0, { ...plan, weights });
    damage("orders/0000.weights.f32", 0);
    expect(mistake(() => readOrder(directory, 0))).toMatch(
      /orders\/0000\.json is damaged \(the plan hashes to [0-9a-f]{64}, recorded is [0-9a-f]{64}, or the weights beside it\)/,
    );
    rmSync(orders("0000.weights.f32"));
    expect(mistake(() => readOrder(directory, 0))).toBe(
      `${orders("0000.weights.f32")} is missing: take another run, or do that run again`,
    );
  });

  test("whose batches were changed by hand", () => {
    recorded().writePlan(0, plan);
    const text = readFileSync(orders("0000.json"), "utf8");
    writeFileSync(orders("0000.json"), text.replace("[0,3,4]", "[0,2,4]"));
    expect(mistake(() => readOrder(directory, 0))).toMatch(/orders\/0000\.json is damaged \(the plan hashes to /);
  });

  test.each(["", "{", '{"epoch":0}'])("whose document is damaged: %j", (text) => {
    recorded().writePlan(0, plan);
    writeFileSync(orders("0000.json"), text);
    expect(mistake(() => readOrder(directory, 0))).toMatch(/orders\/0000\.json is damaged \(./);
  });
});
