import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeTuning } from "../../src/record/tuning-record.js";
import { comparedRate } from "../../src/validate/compared-rate.js";
import { CONFIG, resolved, temporaryDirectory } from "../experiment/scene.js";

const config = await resolved(`${CONFIG}tune: { learningRate: [0.02, 0.01] }\n`);
const ratesOf = ({ arms }: typeof config) => Object.values(arms).map(({ schedule }) => schedule.options.learningRate);

test("an arm of which no rate is chosen is compared at the lowest one, which is said, and not recorded", () => {
  const directory = join(temporaryDirectory(), "run");
  const { recorded, compared, says } = comparedRate(config, "frozen", directory);
  expect(ratesOf(compared)).toEqual([0.01, 0.01]);
  expect(ratesOf(recorded)).toEqual([undefined, undefined]);
  expect(says).toBe(
    `arm frozen is compared at the learning rate 0.01, the lowest of tune.learningRate, for none is chosen in ${directory} yet: \`ibatch run\` tunes it`,
  );
});

test("one that is chosen is the one that is compared and recorded; without tune nothing is said", async () => {
  const directory = join(temporaryDirectory(), "run");
  mkdirSync(directory);
  const tuned = { arm: "frozen", rate: 0.02, trials: [], cost: { runs: 0, samples: 0, scored: 0 } };
  const { seeds, validation } = { seeds: [1_000_000], validation: { share: 0.1, samples: 2 } };
  writeTuning(directory, { measure: "accuracy", seeds, validation, arms: [tuned] });
  const { recorded, compared, says } = comparedRate(config, "frozen", directory);
  expect([ratesOf(compared), ratesOf(recorded)]).toEqual([
    [0.02, undefined],
    [0.02, undefined],
  ]);
  expect(says).toBe("arm frozen is compared at the learning rate 0.02, to which it is tuned");
  const untuned = await resolved(CONFIG);
  expect(comparedRate(untuned, "frozen", directory)).toEqual({ recorded: untuned, compared: untuned, says: undefined });
});
