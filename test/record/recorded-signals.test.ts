import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { filesOf } from "../../src/record/recorded-orders.js";
import {
  lossesOf,
  NOT_SEEN,
  predictionsOf,
  readSignal,
  readSignalFile,
  testPredictionsOf,
} from "../../src/record/recorded-signals.js";
import { RunRecord } from "../../src/record/run-record.js";
import { mistake } from "../mistake.js";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ibatch-signals-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
});

function recorded(): RunRecord {
  const record = new RunRecord(directory, { orders: "full", signals: "full" });
  const config = { epochs: 1, order: {} };
  record.start({ arm: "a", seed: 0, configHash: "abc", config, ibatchVersion: "0", state: "running" });
  return record;
}

describe("a signal", () => {
  const values = Float32Array.of(0.5, Number.NaN, -1e-45, Number.POSITIVE_INFINITY);

  test("is read back to the bit, by its name and epoch or as a file", () => {
    const record = recorded();
    record.writeSignal("scored-margin", 7, values);
    record.writeSignal("loss", 7, values.subarray(0, 2));
    expect(readSignal(directory, "scored-margin", 7)).toEqual(values);
    expect(readSignal(directory, "loss", 7)).toEqual(Float32Array.of(0.5, Number.NaN));
    expect(readSignalFile(join(directory, "signals/scored-margin/0007.f32"))).toEqual(values);
  });

  test("that was not recorded, is no file, or no float32", () => {
    recorded().writeSignal("loss", 0, values);
    const path = (name: string) => `${directory}/signals/${name}`;
    expect(mistake(() => readSignal(directory, "el2n", 0))).toBe(
      `${path("el2n/0000.f32")} is missing: take another run, or do that run again`,
    );
    mkdirSync(path("loss/0001.f32"));
    expect(mistake(() => readSignal(directory, "loss", 1))).toBe(
      `${path("loss/0001.f32")} is damaged (it is a directory): take another run, or do that run again`,
    );
    writeFileSync(path("loss/0000.f32"), "abcde");
    expect(mistake(() => readSignal(directory, "loss", 0))).toMatch(/5 bytes are no whole number of values/);
  });
});

test("losses of an epoch: undefined where there are none, refused where the dataset has another size", () => {
  recorded().writeSignal("loss", 2, Float32Array.of(0.5, Number.NaN));
  const files = filesOf(directory);
  expect(lossesOf(files, 1)).toBeUndefined();
  expect(lossesOf(files, 2)).toEqual(Float32Array.of(0.5, Number.NaN));
  expect(mistake(() => lossesOf(files, 2, 3))).toContain(
    "signals/loss/0002.f32 is damaged (it has 2 values, its dataset has 3 samples on record)",
  );
});

describe("predicted classes", () => {
  const labelled = { count: 3, classes: 4 };

  test("in training may lack samples that were not seen", () => {
    const values = Uint32Array.of(3, NOT_SEEN, 0);
    recorded().writePredictions(1, values);
    expect(predictionsOf(filesOf(directory), 1, labelled)).toEqual(values);
    expect(predictionsOf(filesOf(directory), 0, labelled)).toBeUndefined();
  });

  test("of the test set lack none", () => {
    const record = recorded();
    expect(testPredictionsOf(filesOf(directory), labelled)).toBeUndefined();
    record.writeTestPredictions(Uint32Array.of(3, 1, 0));
    expect(testPredictionsOf(filesOf(directory), labelled)).toEqual(Uint32Array.of(3, 1, 0));
    record.writeTestPredictions(Uint32Array.of(3, NOT_SEEN, 0));
    expect(testPredictionsOf(filesOf(directory))).toEqual(Uint32Array.of(3, NOT_SEEN, 0));
    expect(mistake(() => testPredictionsOf(filesOf(directory), labelled))).toContain(
      "test-predictions.u32 is damaged (it has a class 4294967295, and there are 4)",
    );
  });

  test("that are no classes, or of another number of samples, are refused", () => {
    recorded().writePredictions(0, Uint32Array.of(4, 1, 0));
    const read = (count: number) => mistake(() => predictionsOf(filesOf(directory), 0, { ...labelled, count }));
    expect(read(3)).toContain("signals/prediction/0000.u32 is damaged (it has a class 4, and there are 4)");
    expect(read(2)).toContain("signals/prediction/0000.u32 is damaged (it has 12 bytes, 2 samples need 8)");
  });
});
