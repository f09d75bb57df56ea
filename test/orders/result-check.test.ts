import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import type { OrderResult } from "../../src/orders/contract.js";
import { type ResultBounds, resultFaults } from "../../src/orders/result-check.js";

const eligible = Uint32Array.from({ length: 200 }, (_, index) => index);
const bounds: ResultBounds = { n: 200, eligible, coverage: "each-once" };

/** One batch of these. */
const batchOf = (indices: Uint32Array): OrderResult => ({ indices, offsets: Uint32Array.of(0, indices.length) });
const law = "each sample comes as often as declared";

test.each<[string, Uint32Array, string]>([
  ["one twice in the place of another, by its name", eligible.with(3, 5), "sample 5 twice"],
  ["one three times", eligible.with(3, 7).with(5, 7), "sample 7 3 times"],
  ["one missing", eligible.slice(0, 199), "sample 199 missing"],
  ["many missing", Uint32Array.of(3, 2, 1, 0, 9, 8, 7, 6, 5, 199), "190 of 200 missing, the first is 4"],
])("%s", (_, indices, seen) => {
  expect(resultFaults(batchOf(indices), bounds)).toEqual([{ law, seen, expected: "each-once" }]);
});

test("at most once: none may be repeated, any may be missing", () => {
  const atMost = { ...bounds, coverage: "at-most-once" } as const;
  expect(resultFaults(batchOf(eligible.with(3, 5)), atMost)).toEqual([
    { law, seen: "sample 5 twice", expected: "at-most-once" },
  ]);
  expect(resultFaults(batchOf(Uint32Array.of(7)), atMost)).toEqual([]);
});

test.each<[string, unknown, string]>([
  ["a symbol", Symbol("oh"), "a symbol"],
  ["a Promise", Promise.resolve(batchOf(eligible)), "a Promise"],
  ["an Array", [...eligible], "an Array of 200"],
  ["a Uint32Array of indices alone", eligible, "a Uint32Array of 200"],
  ["a Float32Array", new Float32Array(3), "a Float32Array of 3"],
])("%s is no result", (_, result, seen) => {
  const faults = resultFaults(result as OrderResult, bounds); // as from a file in plain JavaScript
  expect(faults).toEqual([
    { law: "the result has the right types", seen, expected: "{ indices, offsets }, returned at once" },
  ]);
});

test.each<[string, string]>([
  ["wieghts", "; did you mean `weights`?"],
  ["Inclusion", "; did you mean `inclusion`?"],
  ["indcies", "; did you mean `indices`?"],
  ["comment", ""],
])("a member %s is none of a result", (name, hint) => {
  const result = { ...batchOf(eligible), [name]: undefined };
  const members = "indices, offsets, weights, inclusion, probabilities, effectiveDataSize";
  expect(resultFaults(result, bounds)).toEqual([
    { law: "the result has no other members", seen: `\`${name}\``, expected: `some of ${members}${hint}` },
  ]);
});

test("a Promise that fails is no result either, and its failure is nobody else's", async () => {
  const unhandled: unknown[] = [];
  const listener = (error: unknown) => unhandled.push(error);
  process.on("unhandledRejection", listener);
  const faults = resultFaults(Promise.reject(new Error("no idea")) as unknown as OrderResult, bounds);
  await setImmediate(); // a turn, in which it would have been told
  process.off("unhandledRejection", listener);
  expect([faults[0].seen, unhandled]).toEqual(["a Promise", []]);
});

test("a batch larger than asked for, where a size is asked for", () => {
  const result = { indices: eligible, offsets: Uint32Array.of(0, 90, 200) };
  expect(resultFaults(result, { ...bounds, size: (batch) => 90 + batch })).toEqual([
    { law: "no batch is larger than asked for", seen: "110 samples in batch 1", expected: "at most 91" },
  ]);
  expect(resultFaults(result, { ...bounds, size: () => 110 })).toEqual([]);
  expect(resultFaults(result, bounds)).toEqual([]);
});
