// el2n-subset, forgetting-subset: a fixed part by scores of runs recorded earlier.
import { describe, expect, test } from "vitest";
import { resultOf } from "./run-order.js";

/** Of eleven samples, from the highest: 3 6 1 9 4 8 10 0 7 5 2. */
const SCORES = Float32Array.of(0.5, 2, 0.1, 3, 1, 0.2, 2.5, 0.3, 0.9, 1.5, 0.7);

const kept = (name: string, options: Record<string, unknown>, more: object = {}) =>
  [...resultOf(name, { options, scores: SCORES, ...more }).indices].sort((a, b) => a - b).join(" ");

describe("el2n-subset", () => {
  test.each([
    ["the highest", { fraction: 4 / 11 }, "1 3 6 9"],
    ["the lowest", { fraction: 4 / 11, keep: "lowest" }, "0 2 5 7"],
    [
      "the highest behind the share of the very highest",
      { fraction: 4 / 11, keep: "offset", offset: 2 / 11 },
      "1 4 8 9",
    ],
    [
      "all that is left, where rounding would ask for more",
      { fraction: 0.5, keep: "offset", offset: 0.5 },
      "0 2 5 7 8 10",
    ],
    ["all", { fraction: 1 }, "0 1 2 3 4 5 6 7 8 9 10"],
  ])("keeps %s, by hand", (_, options, expected) => {
    expect(kept("el2n-subset", options)).toBe(expected);
  });

  test("the same part in every epoch, shuffled", () => {
    const epochs = Array.from({ length: 8 }, (_, epoch) => {
      const { indices, weights } = resultOf("el2n-subset", { options: { fraction: 4 / 11 }, scores: SCORES, epoch });
      expect(weights).toBeUndefined();
      return indices.join();
    });
    expect(new Set(epochs).size).toBeGreaterThan(4);
    expect(new Set(epochs.map((epoch) => epoch.split(",").sort().join()))).toEqual(new Set(["1,3,6,9"]));
  });

  test("of samples that are eligible; those of which nothing is known come last, whichever end is kept", () => {
    const eligible = Uint32Array.of(0, 1, 3, 5);
    expect(kept("el2n-subset", { fraction: 0.5 }, { eligible })).toBe("1 3");
    const scores = SCORES.slice();
    scores[3] = Number.NaN;
    scores[5] = Number.NaN;
    expect(kept("el2n-subset", { fraction: 0.5 }, { eligible, scores })).toBe("0 1");
    expect(kept("el2n-subset", { fraction: 0.5, keep: "lowest" }, { eligible, scores })).toBe("0 1");
  });

  test("refuses an offset that leaves too few, and to be without scores", () => {
    expect(() => resultOf("el2n-subset", { options: { fraction: 0.8, keep: "offset", offset: 0.3 } })).toThrow(
      "expected at most 1 together with fraction",
    );
    expect(() => resultOf("el2n-subset")).toThrow("there are no scores of runs recorded earlier");
  });
});

describe("forgetting-subset", () => {
  test("keeps those forgotten most often; of those forgotten as often, by chance, others for another seed", () => {
    const scores = Float32Array.of(2, 0, 0, 1, 0, 3, 0, 0, 0, 0, 0);
    expect(kept("forgetting-subset", { fraction: 3 / 11 }, { scores })).toBe("0 3 5");
    const parts = Array.from({ length: 40 }, (_, seed) =>
      kept("forgetting-subset", { fraction: 4 / 11 }, { scores, seed }),
    );
    const chosen = parts.map((part) =>
      part
        .split(" ")
        .filter((index) => !["0", "3", "5"].includes(index))
        .join(),
    );
    expect(new Set(chosen)).toEqual(new Set(["1", "2", "4", "6", "7", "8", "9", "10"]));
    for (const epoch of [1, 2])
      expect(kept("forgetting-subset", { fraction: 4 / 11 }, { scores, epoch })).toBe(parts[0]);
  });
});
