import { expect, test } from "vitest";
import { emptyLedger } from "../../src/orders/context.js";
import { recordScores, recordTraining } from "../../src/training/ledger.js";

const { NaN: nan } = Number;

const training = { source: "training", meanDecay: 0.75 } as const;

test("a chunk of two batches, by hand: each sample's last loss, its step, whether it was right, how often it was drawn", () => {
  const ledger = emptyLedger(5);
  recordTraining(ledger, training, {
    firstStep: 7,
    indices: Uint32Array.of(4, 0, 2),
    offsets: Uint32Array.of(0, 2, 3),
    signals: { loss: Float32Array.of(0.5, 1.5, 2.5), correct: Uint8Array.of(1, 0, 1) },
  });
  expect(ledger).toEqual({
    loss: Float32Array.of(1.5, nan, 2.5, nan, 0.5),
    meanLoss: Float32Array.of(1.5, nan, 2.5, nan, 0.5),
    seenAtStep: Int32Array.of(7, -1, 8, -1, 7),
    correct: Uint8Array.of(0, 255, 1, 255, 1),
    draws: Uint32Array.of(1, 0, 1, 0, 1),
  });
});

test("a sample that is drawn twice keeps its last loss, counts twice, and its mean moves a quarter of the way", () => {
  const ledger = emptyLedger(2);
  recordTraining(ledger, training, {
    firstStep: 0,
    indices: Uint32Array.of(1, 1),
    offsets: Uint32Array.of(0, 2),
    signals: { loss: Float32Array.of(4, 8), correct: Uint8Array.of(0, 0) },
  });
  recordTraining(ledger, training, {
    firstStep: 1,
    indices: Uint32Array.of(1),
    offsets: Uint32Array.of(0, 1),
    signals: { loss: Float32Array.of(1), correct: Uint8Array.of(1) },
  });
  expect(ledger).toEqual({
    loss: Float32Array.of(nan, 1),
    meanLoss: Float32Array.of(nan, 4), // 0.75 · (0.75 · 4 + 0.25 · 8) + 0.25 · 1 = 4
    seenAtStep: Int32Array.of(-1, 1),
    correct: Uint8Array.of(255, 1),
    draws: Uint32Array.of(0, 3),
  });
});

test("scores are of the step that they were made after, and count as no draw", () => {
  const ledger = emptyLedger(3);
  recordScores(ledger, training, {
    indices: Uint32Array.of(0, 2),
    step: 12,
    signals: { loss: Float32Array.of(4, 5), correct: Uint8Array.of(1, 0) },
  });
  expect(ledger).toMatchObject({
    loss: Float32Array.of(4, nan, 5),
    seenAtStep: Int32Array.of(12, -1, 12),
    draws: Uint32Array.of(0, 0, 0),
  });
});

test("where losses are to come from scoring passes, training counts draws and changes no loss", () => {
  const ledger = emptyLedger(2);
  recordScores(ledger, training, {
    indices: Uint32Array.of(0, 1),
    step: 0,
    signals: { loss: Float32Array.of(4, 5), correct: Uint8Array.of(1, 0) },
  });
  recordTraining(
    ledger,
    { ...training, source: "rescore" },
    {
      firstStep: 0,
      indices: Uint32Array.of(1, 0),
      offsets: Uint32Array.of(0, 2),
      signals: { loss: Float32Array.of(1, 2), correct: Uint8Array.of(0, 0) },
    },
  );
  expect(ledger).toMatchObject({
    loss: Float32Array.of(4, 5),
    seenAtStep: Int32Array.of(0, 0),
    draws: Uint32Array.of(1, 1),
  });
});

test("the signals that an order declares have columns, others have none", () => {
  const ledger = emptyLedger(2, ["margin"]);
  recordTraining(ledger, training, {
    firstStep: 0,
    indices: Uint32Array.of(1),
    offsets: Uint32Array.of(0, 1),
    signals: {
      loss: Float32Array.of(1),
      correct: Uint8Array.of(0),
      margin: Float32Array.of(-2),
      el2n: Float32Array.of(3),
    },
  });
  expect(ledger.margin).toEqual(Float32Array.of(nan, -2));
  expect(ledger.el2n).toBeUndefined();
});
