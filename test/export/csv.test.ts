import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { exportCsv } from "../../src/export/csv.js";
import { packageRoot } from "../../src/package-root.js";
import { findPython } from "../../src/process/find-python.js";
import { FULL, LEAST, makeDirectory, STARTED_AT, TIMINGS } from "./scene.js";

type Row = Readonly<Record<string, string>>;

const signal = new AbortController().signal;

/** By Python's own reader. */
function readCsv(path: string): Row[] {
  const script = join(packageRoot, "test/export/read_csv.py");
  return JSON.parse(execFileSync(findPython(undefined), [script, path], { encoding: "utf8" }));
}

async function exportedRows(): Promise<{ runs: Row[]; epochs: Row[]; within: Row[] }> {
  const { written } = await exportCsv({ directory: makeDirectory(), out: undefined, python: undefined, signal });
  const [runs, epochs, within] = written.trimEnd().split("\n").map(readCsv);
  return { runs, epochs, within };
}

/** `trainSample.loss` as `train_sample_loss`, for every number and hash in a line. */
function flat(value: unknown, name = ""): [string, string][] {
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([key, inner]) => flat(inner, name === "" ? key : `${name}_${key}`));
  }
  const column = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return [[column, String(value).replace("Infinity", "inf")]];
}

test("whatever a line of metrics and timings holds has its column, with all digits", async () => {
  const { epochs } = await exportedRows();
  const { within: _, ...ofEpoch } = FULL;
  const measured = Object.fromEntries(flat(ofEpoch));
  const timed = Object.fromEntries(
    Object.entries(TIMINGS)
      .filter(([key]) => key !== "epoch")
      .map(([key, seconds]) => [`seconds_${key.replace("Seconds", "")}`, String(seconds)]),
  );
  expect(epochs[0]).toEqual({ arm: "alpha", seed: "0", ...measured, ...timed });
});

test("a line for each evaluation before an epoch's end", async () => {
  const { within } = await exportedRows();
  const [point] = FULL.within;
  expect(within).toEqual([{ arm: "alpha", seed: "0", epoch: "0", ...Object.fromEntries(flat(point)) }]);
});

test("what is not there is an empty cell, under the same columns", async () => {
  const { epochs } = await exportedRows();
  expect(epochs).toHaveLength(2);
  expect(Object.keys(epochs[1])).toEqual(Object.keys(epochs[0]));
  const there = Object.entries(epochs[1]).filter(([, value]) => value !== "");
  expect(Object.fromEntries(there)).toEqual({ arm: "alpha", seed: "0", ...Object.fromEntries(flat(LEAST)) });
});

test("not finite: as pandas spells it", async () => {
  const { epochs } = await exportedRows();
  expect(epochs[0]).toMatchObject({ train_sample_loss: "NaN", validation_loss: "inf", test_loss: "-inf" });
});

test("a line a run, in the config's sequence, with a quoted cell", async () => {
  const { runs } = await exportedRows();
  expect(runs).toMatchObject([
    {
      experiment: "made up",
      arm: "beta",
      seed: "0",
      state: "failed",
      epochs: "0",
      steps: "0",
      error: 'it said "no", then\nended',
      diverged_at_step: "7",
    },
    {
      arm: "alpha",
      state: "running",
      epochs: "2",
      planned_epochs: "3",
      steps: "90",
      diverged_at_step: "",
      model: "mnist-cnn",
      optimizer: "",
      config_hash: "f".repeat(64),
      initial_weights_sha256: "",
      started_at: STARTED_AT,
    },
  ]);
});
