import { expect, test } from "vitest";
import type { RunDocument } from "../../src/record/run-document.js";
import { equalWeightsNote, startsText } from "../../src/results/equal-weights.js";

const SURROUNDINGS = {
  device: "cpu",
  deviceName: "a processor",
  threads: 1,
  versions: {},
  platform: "none",
  dataset: { name: "tiny", options: {} },
  dataSha256: "d",
  testCount: 1,
  parameterCount: 1,
  settings: {},
};

function started(arm: string, seed: number, initialWeightsSha256?: string) {
  const document: RunDocument = {
    arm,
    seed,
    configHash: "c",
    config: { epochs: 1, order: {} },
    ibatchVersion: "0",
    state: "done",
  };
  if (initialWeightsSha256 === undefined) return { arm, seed, document };
  return { arm, seed, document: { ...document, surroundings: { ...SURROUNDINGS, initialWeightsSha256 } } };
}

test("arms whose seeds start from equal weights are named; equal seeds of two arms are as they should be", () => {
  const apart = [started("a", 0, "x"), started("a", 1, "y"), started("b", 0, "x"), started("b", 1, "y")];
  expect(equalWeightsNote(apart)).toBeUndefined();
  const note = equalWeightsNote([...apart, started("fixed", 0, "z"), started("fixed", 1, "z")]);
  expect(note).toMatch(/^Seeds of fixed start from equal weights /);
  expect(equalWeightsNote([started("a", 0), started("a", 1)])).toBeUndefined(); // not on record
});

test("from which weights seeds start", () => {
  const equal = [started("a", 0, "x"), started("a", 1, "y"), started("b", 0, "x"), started("b", 2)];
  expect(startsText(equal)).toBe("equal seeds start from equal weights");
  expect(startsText([...equal, started("b", 1, "z")])).toBe("arms differ in where equal seeds start");
  const fixed = [started("a", 0, "x"), started("a", 1, "x"), started("b", 0, "x"), started("b", 1, "x")];
  expect(startsText(fixed)).toBe("all seeds start from equal weights");
  expect(startsText(fixed.filter(({ seed }) => seed === 0))).toBe("equal seeds start from equal weights");
});
