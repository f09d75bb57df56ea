import { describe, expect, test } from "vitest";
import { inTurn, median, ratioOf } from "../../src/bench/figures.js";

test("the median of an even number lies between the middle two, whatever their sequence", () => {
  expect([median([3]), median([9, 1, 2]), median([10, 2, 1, 4])]).toEqual([3, 2, 3]);
});

test("ratios are made within rounds: a round that is slow for both changes none", () => {
  expect(ratioOf([1, 10, 2], [3, 30, 5])).toEqual({ median: 3, least: 2.5, most: 3 });
});

describe("in turn", () => {
  test("each loop comes once a round, and none is always the first", () => {
    const rounds = [0, 1, 2, 3].map((round) => inTurn(["a", "b", "c"], round).join(""));
    expect(rounds).toEqual(["abc", "bca", "cab", "abc"]);
  });
});
