import { describe, expect, test } from "vitest";
import { shareOut } from "../../scripts/shares.mjs";

describe("shareOut", () => {
  test("gives each file to one process, the heaviest first to the one that has least", () => {
    const files: [string, number][] = [
      ["a", 1],
      ["b", 9],
      ["c", 4],
      ["d", 5],
      ["e", 1],
    ];
    expect(shareOut(files, 2)).toEqual([
      ["a", "b"],
      ["c", "d", "e"],
    ]);
    expect(shareOut(files.toReversed(), 2)).toEqual(shareOut(files, 2));
  });

  test("gives no process nothing to do", () => {
    expect(shareOut([["a", 1]], 2)).toEqual([["a"]]);
    expect(shareOut([], 2)).toEqual([]);
  });
});
