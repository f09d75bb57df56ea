import { describe, expect, test } from "vitest";
import type { ExperimentDocument } from "../../src/record/experiment-document.js";
import { joinedConfigs, otherClaims } from "../../src/record/joined-configs.js";

type Config = ExperimentDocument["config"];

const arm = { order: {} };
const config = (parts: Partial<Config> = {}): Config => ({
  name: "small",
  seeds: [0],
  arms: { a: arm, b: arm },
  targetAccuracy: null,
  equivalenceMargin: null,
  ...parts,
});

describe("comparisons of two configs in one", () => {
  test("are those of both, each once, whichever arm is subtracted", () => {
    const there = config({ comparisons: [{ arm: "a", with: "b" }] });
    const here = config({
      arms: { ...there.arms, c: arm },
      comparisons: [
        { arm: "b", with: "a" },
        { arm: "c", with: "a" },
      ],
    });
    expect(joinedConfigs(there, here).comparisons).toEqual([
      { arm: "a", with: "b" },
      { arm: "c", with: "a" },
    ]);
  });

  test("of a record of before there were such are all with the baseline, also beside one that plans none", () => {
    const older = config({ baseline: "b" });
    const none = config({ baseline: "b", comparisons: [] });
    expect(joinedConfigs(older, none).comparisons).toEqual([{ arm: "a", with: "b" }]);
    expect(joinedConfigs(none, older).comparisons).toEqual([{ arm: "a", with: "b" }]);
  });
});

test("claims differ by their first key that does; a record that names no measure means accuracy", () => {
  expect(otherClaims(config(), config({ primary: "accuracy", seeds: [1] }))).toBeUndefined();
  const other = config({ primary: "accuracy", baseline: "a", equivalenceMargin: 0.1 });
  expect(otherClaims(config(), other)).toEqual({ key: "equivalenceMargin", one: "null", other: "0.1" });
});
