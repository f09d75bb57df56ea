/** An experiment's directory with nothing in it but what an export needs, written as JSON; every number is made up. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { EpochMetrics, EpochTimings } from "../../src/record/epoch-metrics.js";

type Whole<T> = T extends object ? { [Key in keyof T]-?: Whole<Exclude<T[Key], undefined>> } : T;

/** Every field that a line can have, with a value of its own; the type asks for a new one here. */
export const FULL: Whole<EpochMetrics> = {
  epoch: 0,
  step: 45,
  batches: 44,
  samples: 1437,
  scored: 1436,
  batchSize: { smallest: 29, largest: 32 },
  learningRate: { first: 0.1, last: 1e-7 },
  train: { loss: 1.2693360012146973, accuracy: 0.6061238691718859, count: 1435 },
  trainSample: { loss: "NaN", accuracy: 0.25, count: 1000 },
  validation: { loss: "Infinity", accuracy: 0.5, count: 99 },
  test: { loss: "-Infinity", accuracy: 0.75, count: 360 },
  averaged: {
    updates: 32,
    trainSample: { loss: 0.0078125, accuracy: 0.06, count: 14 },
    validation: { loss: 0.00390625, accuracy: 0.07, count: 15 },
    test: { loss: 0.001953125, accuracy: 0.08, count: 16 },
    lastReestimated: { loss: 0.0009765625, accuracy: 0.09, count: 17 },
  },
  within: [
    {
      ...{ step: 15, samples: 480 },
      trainSample: { loss: 0.5, accuracy: 0.125, count: 1001 },
      validation: { loss: 0.25, accuracy: 0.375, count: 98 },
      test: { loss: 0.75, accuracy: 0.625, count: 361 },
      averaged: {
        updates: 2,
        trainSample: { loss: 0.03125, accuracy: 0.03, count: 11 },
        validation: { loss: 0.0625, accuracy: 0.04, count: 12 },
        test: { loss: 0.015625, accuracy: 0.05, count: 13 },
        lastReestimated: { loss: 0.00048828125, accuracy: 0.1, count: 18 },
      },
    },
  ],
  batchNorm: {
    test: {
      running: { loss: 2.5, accuracy: 0.11, count: 201 },
      batch: { loss: 1.5, accuracy: 0.22, count: 202 },
      reestimated: { loss: 1.25, accuracy: 0.33, count: 203 },
    },
    ownBatches: {
      running: { loss: 3.5, accuracy: 0.44, count: 204 },
      batch: { loss: 0.5, accuracy: 0.55, count: 205 },
    },
  },
  order: {
    distinct: 1434,
    mostDrawn: 3,
    effectiveDataSize: 1400.5,
    meanInverseInclusion: 1.01,
    effectiveSampleSize: 700.25,
    meanWeight: 0.99,
    meanLossAgeSteps: 12.5,
    rankCorrelation: -0.02,
    classesPerBatch: 9.75,
    classesPerBatchByChance: 9.66,
    classDistance: 0.125,
    classDistanceByChance: 0.135,
  },
  labelNoise: { share: 0.2, drawn: 0.26, mostDrawn: 0.31 },
  orderSha256: "a".repeat(64),
  planSha256: "b".repeat(64),
};

/** Only what every line has. */
export const LEAST: EpochMetrics = {
  epoch: 1,
  step: 90,
  batches: 45,
  samples: 1437,
  scored: 0,
  batchSize: { smallest: 29, largest: 32 },
  learningRate: { first: 0.05, last: 0.05 },
  train: { loss: 0.5914416026985233, accuracy: 0.8204592901878914, count: 1437 },
  order: { distinct: 1437, mostDrawn: 1 },
  orderSha256: "c".repeat(64),
  planSha256: "d".repeat(64),
};

export const TIMINGS: EpochTimings = {
  epoch: 0,
  orderingSeconds: 0.001,
  trainingSeconds: 2,
  scoringSeconds: 0.5,
  evaluatingSeconds: 0.25,
  wireSeconds: 0.002,
  waitingSeconds: 0.003,
  totalSeconds: 2.756,
};

export const STARTED_AT = "2026-01-02T03:04:05.500Z";

/** `beta` ended, of `alpha` the second epoch is not timed yet, and its third is not there; the config names beta first. */
export function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "ibatch-export-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const arm = { epochs: 3, order: { name: "shuffled", options: {}, changesObjective: false } };
  const config = { name: "made up", seeds: [0], baseline: "beta", arms: { beta: arm, alpha: arm } };
  const files = {
    "experiment.json": JSON.stringify({ name: "made up", hash: "e", command: "", ibatchVersion: "0.1.0", config }),
    "alpha/seed-0/run.json": runDocument("alpha", "running"),
    "alpha/seed-0/metrics.jsonl": lines(FULL, LEAST),
    "alpha/seed-0/timings.jsonl": lines(TIMINGS),
    "beta/seed-0/run.json": runDocument("beta", "failed", { error: 'it said "no", then\nended', divergedAtStep: 7 }),
    "beta/seed-0/metrics.jsonl": "",
    "beta/seed-0/timings.jsonl": "",
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

const lines = (...values: readonly unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join("");

function runDocument(arm: string, state: string, more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    arm,
    seed: 0,
    configHash: "f".repeat(64),
    config: { epochs: 3, precision: "float32", model: { name: "mnist-cnn" }, order: { name: "shuffled" } },
    ibatchVersion: "0.1.0",
    startedAt: STARTED_AT,
    state,
    ...more,
  });
}
