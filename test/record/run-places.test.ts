import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listRuns } from "../../src/record/run-places.js";
import { temporaryDirectory } from "../experiment/scene.js";

const named = (experiment: string) => listRuns(experiment).map(({ arm, seed }) => `${arm} ${seed}`);

test("runs are found by the names of their directories, arms and seeds in sequence, nothing else that lies there", () => {
  const experiment = temporaryDirectory();
  for (const path of [
    "b/seed-12",
    "b/seed-2",
    "a/seed-0",
    "a/notes",
    "a/seed-",
    "a/seed-00",
    "a/seed-1x",
    "datasets/dd",
  ])
    mkdirSync(join(experiment, path), { recursive: true });
  writeFileSync(join(experiment, "log.txt"), "");
  writeFileSync(join(experiment, "a", "seed-7"), "a file");
  expect(named(experiment)).toEqual(["a 0", "b 2", "b 12"]);
  expect(listRuns(experiment)[2].directory).toBe(join(experiment, "b", "seed-12"));
});

test("an arm, or a run, that was moved away and linked is found; links that lead nowhere are not", () => {
  const experiment = temporaryDirectory();
  const scratch = temporaryDirectory();
  for (const path of ["a/seed-0", "a/seed-1", "b/seed-0"]) mkdirSync(join(experiment, path), { recursive: true });
  renameSync(join(experiment, "b"), join(scratch, "b"));
  symlinkSync(join(scratch, "b"), join(experiment, "b"));
  renameSync(join(experiment, "a", "seed-1"), join(scratch, "one"));
  symlinkSync(join(scratch, "one"), join(experiment, "a", "seed-1"));
  symlinkSync(join(scratch, "nothing"), join(experiment, "c"));
  symlinkSync("d", join(experiment, "d"));
  expect(named(experiment)).toEqual(["a 0", "a 1", "b 0"]);
});
