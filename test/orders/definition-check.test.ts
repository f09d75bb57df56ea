import { describe, expect, test } from "vitest";
import { isOrderDefinition, missingMembers, unknownMembers } from "../../src/orders/definition-check.js";
import { ORDERS } from "../../src/orders/index.js";
import frozen from "../../src/orders/rules/frozen.js";

describe("missingMembers", () => {
  test("of an order is nothing, of an order with a mistake its name", () => {
    expect(missingMembers(frozen)).toEqual([]);
    expect(missingMembers({ ...frozen, coverage: "twice", order: undefined })).toEqual(["coverage", "order"]);
    expect(missingMembers({})).toEqual([
      "name",
      "summary",
      "whenToChoose",
      "options",
      "coverage",
      "readsLedger",
      "changesEachEpoch",
      "dependsOnSeed",
      "order",
    ]);
    expect([undefined, null, 3, frozen].map(isOrderDefinition)).toEqual([false, false, false, true]);
  });

  test("of one that decides each batch, which needs no epoch, and with one has to say which it is", () => {
    const { order, ...rest } = frozen;
    const nextBatch = () => {};
    expect(missingMembers({ ...rest, nextBatch })).toEqual([]);
    expect(missingMembers({ ...rest, order, nextBatch })).toEqual(["decidesEachBatch"]);
    expect(missingMembers({ ...rest, order, nextBatch, decidesEachBatch: () => true })).toEqual([]);
    expect(missingMembers({ ...rest, order, decidesEachBatch: () => true })).toEqual(["decidesEachBatch"]);
    expect(missingMembers({ ...rest, nextBatch, decidesEachBatch: () => true })).toEqual(["decidesEachBatch"]);
  });

  test("of one that has candidates scored, which decides each batch", () => {
    const { order, ...rest } = frozen;
    const [nextBatch, candidates, scoresCandidates] = [() => {}, () => {}, () => true];
    expect(missingMembers({ ...rest, nextBatch, candidates })).toEqual([]);
    expect(missingMembers({ ...rest, nextBatch, candidates, scoresCandidates })).toEqual([]);
    expect(missingMembers({ ...rest, nextBatch, candidates: [1] })).toEqual(["candidates"]);
    expect(missingMembers({ ...rest, order, candidates })).toEqual(["candidates"]);
    expect(missingMembers({ ...rest, nextBatch, scoresCandidates })).toEqual(["scoresCandidates"]);
    const candidatesPerSample = () => 2;
    expect(missingMembers({ ...rest, nextBatch, candidates, candidatesPerSample })).toEqual([]);
    expect(missingMembers({ ...rest, nextBatch, candidatesPerSample })).toEqual(["candidatesPerSample"]);
  });

  test.each<[string, unknown, string[]]>([
    ["known dtypes", { counts: { dtype: "u8", length: () => 3 }, means: { dtype: "f64", length: () => 3 } }, []],
    [
      "an unknown dtype",
      { counts: { dtype: "f16", length: () => 3 } },
      ['memory.counts.dtype ("f16", expected one of u8 u32 i32 f32 f64)'],
    ],
    [
      "no dtype, a number for a length",
      { counts: { length: 3 } },
      ["memory.counts.dtype (expected one of u8 u32 i32 f32 f64)", "memory.counts.length"],
    ],
    ["a name alone", { counts: "u8" }, ["memory.counts"]],
    ["a list of names", "counts", ["memory"]],
  ])("of a memory with %s", (_, memory, missing) => {
    expect(missingMembers({ ...frozen, memory })).toEqual(missing);
  });
});

test("members that no definition has are named, each with the one that may be meant", () => {
  const memory = { counts: { dtype: "u8", length: () => 1, lenght: 3 } };
  expect(unknownMembers({ ...frozen, epochshare: () => 1, coverge: () => "any", zzz: 1, memory })).toEqual([
    "`epochshare`; did you mean `epochShare`?",
    "`coverge`; did you mean `coverage`?",
    "`zzz`",
    "`memory.counts.lenght`; did you mean `length`?",
  ]);
  for (const order of ORDERS) expect(unknownMembers(order)).toEqual([]);
});
