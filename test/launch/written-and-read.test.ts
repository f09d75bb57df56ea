// Whatever an experiment writes is known to who reads it: readers drop what their schema lacks, and nothing is dropped.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { runExperiment } from "../../src/launch/run-experiment.js";
import { readDataset } from "../../src/record/dataset-record.js";
import { readExperimentDocument } from "../../src/record/experiment-document.js";
import { readRun } from "../../src/record/read-run.js";
import { imagesOf } from "../../src/record/recorded-images.js";
import { planOf } from "../../src/record/recorded-orders.js";
import { FakeBackend } from "../experiment/fake-backend.js";
import { CONFIG, temporaryDirectory } from "../experiment/scene.js";

vi.mock("../../src/backend/backend.js", () => ({
  openBackend: async () => ({ client: new FakeBackend(), stop: async () => {} }),
}));

const read = (path: string) => readFileSync(path, "utf8");
const lines = (path: string) =>
  read(path)
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

/** Of a document that has a hash of itself. */
function unsealed(path: string): unknown {
  const { documentSha256, ...document } = JSON.parse(read(path));
  expect(documentSha256).toHaveLength(64);
  return document;
}

test("every field that is written is read", async () => {
  const [path, out] = [join(temporaryDirectory(), "small.yaml"), join(temporaryDirectory(), "run")];
  writeFileSync(path, CONFIG);
  await runExperiment(path, { out });
  expect(readExperimentDocument(out)).toEqual(unsealed(join(out, "experiment.json")));
  const directory = join(out, "frozen", "seed-0");
  const run = readRun(directory);
  if (run === undefined) throw new Error("no run");
  expect(run.document).toEqual(JSON.parse(read(join(directory, "run.json"))));
  expect(run.metrics).toEqual(lines(join(directory, "metrics.jsonl")));
  expect(run.timings).toEqual(lines(join(directory, "timings.jsonl")));
  expect(planOf(run.files, 2)).toEqual(JSON.parse(read(join(directory, "orders", "0002.json"))));
  const [dataset] = readdirSync(join(out, "datasets"));
  const hash = run.document.surroundings?.dataSha256 ?? "";
  expect(hash.startsWith(dataset)).toBe(true);
  const found = readDataset(out, hash);
  const { labelsSha256, testLabelsSha256, ...described } = Object(
    unsealed(join(out, "datasets", dataset, "dataset.json")),
  );
  expect({ ...found, labels: undefined, testLabels: undefined }).toEqual(described);
  expect([labelsSha256, testLabelsSha256]).not.toContain(undefined);
  const images = JSON.parse(read(join(directory, "images.json")));
  const pictured = imagesOf(run.files, found?.labels.length ?? 0);
  expect(pictured.length).toBeGreaterThan(0);
  expect({ indices: pictured.map(({ index }) => index), shape: pictured[0].shape }).toEqual(images);
});
