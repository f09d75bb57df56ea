import { expect, test } from "vitest";
import { armSchema } from "../../src/config/arm-schema.js";
import { commonSchema } from "../../src/config/common-schema.js";
import { runConfig } from "../../src/config/run-config.js";
import { CONFIG, resolved } from "../experiment/scene.js";

/** What concerns an experiment, and none of its runs. */
const OF_THE_EXPERIMENT = [
  "name",
  "seeds",
  "baseline",
  "comparisons",
  "primary",
  "tune",
  "targetAccuracy",
  "equivalenceMargin",
];

test("a run's config has every section of the file that a run can read, under the file's name and with its value", async () => {
  const config = await resolved(`${CONFIG}checkpoint: { keep: 7 }\nrecord: { images: 3 }\n`);
  const ofRun = runConfig(config, "shuffled");
  const { evaluation, record, checkpoint, backend } = config;
  expect(ofRun).toEqual({ ...config.arms.shuffled, evaluation, record, checkpoint, backend });
  expect([ofRun.checkpoint?.keep, ofRun.record.images, ofRun.backend.chunkBatches]).toEqual([7, 3, 2]);
  const sections = [...Object.keys(armSchema.shape), ...Object.keys(commonSchema.shape)];
  const missing = sections.filter((name) => !Object.hasOwn(ofRun, name) && !OF_THE_EXPERIMENT.includes(name));
  expect(missing).toEqual(["loss", "budget"]); // absent where it is ours, and where epochs are said
});
