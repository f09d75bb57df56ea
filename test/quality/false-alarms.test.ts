import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../src/package-root.js";
import { judge } from "../../src/quality/judge.js";
import { readIndexFile } from "../../src/record/index-file.js";
import { temporaryDirectory } from "../experiment/scene.js";
import { coldPython } from "../warm-python/python.js";
import { sequencesOf } from "./made.js";

/** Judgements of as many sets of uniform shuffles as there are. */
function judgements({ sets, seeds, epochs, n, size }: Record<"sets" | "seeds" | "epochs" | "n" | "size", number>) {
  const path = join(temporaryDirectory(), "shuffles.npy");
  const script = join(packageRoot, "test", "quality", "numpy_shuffles.py");
  execFileSync(coldPython, [script, path, String(sets * seeds * epochs), String(n), "18"]);
  const [shuffles] = readIndexFile(path, {});
  const labels = Uint32Array.from({ length: n }, (_, index) => (index * 7919) % 10);
  return Array.from({ length: sets }, (_, set) => {
    const ofSet = shuffles.slice(set * seeds * epochs, (set + 1) * seeds * epochs);
    const bySeed = Array.from({ length: seeds }, (_, seed) => ofSet.slice(seed * epochs, (seed + 1) * epochs));
    return judge(sequencesOf(bySeed, { size, labels }));
  });
}

/** At most that share of shuffles that are uniform may be called otherwise. */
const LEVEL = 0.05;

test.each([
  { sets: 1000, seeds: 2, epochs: 2, n: 1000, size: 64 },
  { sets: 1000, seeds: 2, epochs: 3, n: 100, size: 8 },
])("of $sets sets of numpy's shuffles of $n, $seeds seeds × $epochs epochs, at most 5 % are told apart", (made) => {
  const all = judgements(made);
  expect(all.every(({ tests, skipped }) => tests.length === 13 && skipped.length === 0)).toBe(true);
  const isWithin = (share: number, level: number, errors: number) =>
    share <= level + errors * Math.sqrt((level * (1 - level)) / made.sets);
  const share = all.filter(({ off }) => off.length > 0).length / made.sets;
  expect(isWithin(share, LEVEL, 2), `all tests together: ${share}`).toBe(true);
  expect(share, "tests that never tell anything would pass, too").toBeGreaterThan(0.01);
  // No single test is wrong and hidden by the others: below each level as often as that, or less often.
  for (const { name } of all[0].tests) {
    const p = all.map(({ tests }) => tests.find((one) => one.name === name)?.p ?? Number.NaN);
    for (const level of [0.2, 0.05, 0.01]) {
      const below = p.filter((value) => value <= level).length / made.sets;
      expect(isWithin(below, level, 3.5), `${name} at ${level}: ${below}`).toBe(true);
    }
  }
});
