import { describe, expect, test } from "vitest";
import topLoss from "../../../src/orders/rules/top-loss.js";
import { batchOf } from "./batch-order.js";

const LOSSES = [0.5, 2, 0.1, 3, 1, 0.2, 2.5];

const of = (
  options: Record<string, unknown>,
  count: number,
  more: { drawn?: readonly number[]; seed?: number } = {},
) => [...batchOf("top-loss", LOSSES, { options, count, ...more }).indices];

test("the highest, highest first; the lowest, lowest first; by hand", () => {
  expect(of({}, 3)).toEqual([3, 6, 1]);
  expect(of({ take: "lowest" }, 4)).toEqual([2, 5, 0, 4]);
});

test("with cover, of those that the epoch has not drawn yet; without, whatever it has drawn", () => {
  expect(of({ cover: true }, 2, { drawn: [3, 1] })).toEqual([6, 4]);
  expect(of({ cover: true, take: "lowest" }, 2, { drawn: [2, 0] })).toEqual([5, 4]);
  expect(of({}, 2, { drawn: [3, 1] })).toEqual([3, 6]);
});

test("those that are still to be learned of come last: by their old losses they would be drawn again", () => {
  expect([...batchOf("top-loss", LOSSES, { count: 2, drawn: [3, 6], pending: 1 }).indices]).toEqual([3, 1]);
  expect([...batchOf("top-loss", LOSSES, { count: 2, drawn: [3, 6], pending: 2 }).indices]).toEqual([1, 4]);
  expect(new Set(batchOf("top-loss", [1, 2, 3], { count: 2, drawn: [2, 1], pending: 2 }).indices)).toContain(0);
});

test("samples never seen come first, whichever end is taken, in random sequence", () => {
  const firsts = new Set<number>();
  for (const take of ["highest", "lowest"]) {
    for (let seed = 0; seed < 20; seed++) {
      const losses = [0.5, Number.NaN, 3, Number.NaN];
      const { indices } = batchOf("top-loss", losses, { options: { take }, count: 3, seed });
      expect([...indices.slice(0, 2)].sort()).toEqual([1, 3]);
      expect(indices[2]).toBe(take === "highest" ? 2 : 0);
      firsts.add(indices[0]);
    }
  }
  expect([...firsts].sort()).toEqual([1, 3]);
});

test("chance breaks ties, another one at each step", () => {
  const alike = [1, 1, 1, 1, 0];
  const counts = new Map<number, number>();
  for (let step = 0; step < 4000; step++) {
    const [index] = batchOf("top-loss", alike, { count: 1, step }).indices;
    counts.set(index, (counts.get(index) ?? 0) + 1);
  }
  expect([...counts.keys()].sort()).toEqual([0, 1, 2, 3]);
  const sigma = Math.sqrt(4000 * (1 / 4) * (3 / 4));
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(4 * sigma);
});

describe("what it declares", () => {
  test.each([
    [{}, "any", true],
    [{ cover: true }, "each-once", false],
    [{ cover: true, fraction: 0.5 }, "at-most-once", true],
  ])("%j", (given, coverage, changes) => {
    const options = topLoss.options.parse(given);
    expect(topLoss.coverage(options)).toBe(coverage);
    expect(topLoss.changesObjective?.(options)).toBe(changes);
  });
});
