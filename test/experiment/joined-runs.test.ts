import { expect, test } from "vitest";
import { joinedRuns } from "../../src/experiment/joined-runs.js";
import type { SourceRun } from "../../src/experiment/merge-source.js";
import type { Surroundings } from "../../src/experiment/surroundings.js";

const surroundings: Surroundings = {
  ...{ device: "cpu", deviceName: "pretence", threads: 1, platform: "linux", versions: { torch: "2" } },
  dataset: { name: "digits", options: {} },
  ...{
    dataSha256: "d".repeat(64),
    testCount: 8,
    initialWeightsSha256: "e".repeat(64),
    parameterCount: 3,
    settings: {},
  },
};

/** How often what so many runs of two arms were made in is looked at. */
function looksAt(seeds: number): number {
  let looks = 0;
  const runs = Array.from({ length: 2 * seeds }, (_, at): SourceRun => {
    const [arm, seed] = [at % 2 === 0 ? "a" : "b", Math.floor(at / 2)];
    const directory = `${arm}/seed-${seed}`;
    const made = {
      ...{ arm, seed, directory, goesOn: false, modelHash: "m", isOwnModel: false },
      get surroundings() {
        looks++;
        return surroundings;
      },
    };
    const order = { order: {} };
    const document = {
      arm,
      seed,
      configHash: arm,
      config: order,
      ibatchVersion: "1",
      state: "done" as const,
      surroundings,
    };
    return { arm, seed, directory, stamp: "1", document, made, soFar: undefined };
  });
  expect(joinedRuns(runs)).toHaveLength(2 * seeds);
  return looks;
}

test("twice as many runs are compared about twice as often", () => {
  expect(looksAt(200)).toBeLessThan(2.5 * looksAt(100));
});
