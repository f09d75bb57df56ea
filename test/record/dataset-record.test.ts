import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { datasetDirectory, type RecordedDataset, readDataset, writeDataset } from "../../src/record/dataset-record.js";

const dataset: RecordedDataset = {
  name: "digits",
  dataSha256: `abcdef01${"0".repeat(56)}`,
  classNames: ["zero", "one"],
  inputShape: [1, 2, 2],
  labels: Uint32Array.of(1, 0, 1),
  testLabels: Uint32Array.of(0, 1),
};

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), "ibatch-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

describe("a recorded dataset", () => {
  test("stands under the first 8 digits of its hash: a description, and labels raw little-endian", () => {
    const experiment = temporary();
    writeDataset(experiment, dataset);
    const directory = join(experiment, "datasets", "abcdef01");
    expect(datasetDirectory(experiment, dataset.dataSha256)).toBe(directory);
    expect(readdirSync(directory).sort()).toEqual(["dataset.json", "labels.u32", "test-labels.u32"]);
    expect(readFileSync(join(directory, "labels.u32")).toString("hex")).toBe("010000000000000001000000");
    expect(readFileSync(join(directory, "test-labels.u32")).toString("hex")).toBe("0000000001000000");
  });

  test("is read as it was written", () => {
    const experiment = temporary();
    writeDataset(experiment, { ...dataset, labels: Uint32Array.of(9, 1, 0, 1).subarray(1) });
    expect(readDataset(experiment, dataset.dataSha256)).toEqual(dataset);
  });

  test("is written once: what is there stays", () => {
    const experiment = temporary();
    writeDataset(experiment, dataset);
    writeDataset(experiment, { ...dataset, labels: Uint32Array.of(0) });
    expect(readDataset(experiment, dataset.dataSha256)?.labels).toEqual(dataset.labels);
  });

  test("that is not there is undefined", () => {
    expect(readDataset(temporary(), dataset.dataSha256)).toBeUndefined();
  });

  test.each([
    ["dataset.json", "{}", "name: Invalid input"],
    ["dataset.json", "{", "it is no JSON"],
    ["labels.u32", "12345", "5 bytes are no whole number of values"],
    ["labels.u32", "\0\0\0\0", "it hashes to "],
    ["test-labels.u32", "\x02\0\0\0", "it hashes to "],
  ])("with a damaged %s is refused, with what to do, and written anew: %j", (name, text, why) => {
    const experiment = temporary();
    writeDataset(experiment, dataset);
    writeFileSync(join(datasetDirectory(experiment, dataset.dataSha256), name), text);
    expect(() => readDataset(experiment, dataset.dataSha256)).toThrow(
      `${join("datasets", "abcdef01", name)} is damaged (${why}`,
    );
    writeDataset(experiment, dataset);
    expect(readDataset(experiment, dataset.dataSha256)).toEqual(dataset);
  });

  test("of before there were hashes is read, and refused where a label is none of its classes", () => {
    const experiment = temporary();
    writeDataset(experiment, dataset);
    const directory = datasetDirectory(experiment, dataset.dataSha256);
    const { name, dataSha256, classNames, inputShape } = dataset;
    writeFileSync(join(directory, "dataset.json"), JSON.stringify({ name, dataSha256, classNames, inputShape }));
    expect(readDataset(experiment, dataSha256)).toEqual(dataset);
    writeFileSync(join(directory, "labels.u32"), "\x02\0\0\0");
    expect(() => readDataset(experiment, dataSha256)).toThrow(
      "labels.u32 is damaged (it has a label 2, and there are 2",
    );
  });
});
