import { expect, test } from "vitest";
import { Ledger } from "../../src/experiment/ledger.js";

const { NaN: nan } = Number;

const training = { source: "training", meanDecay: 0.75, extras: [] } as const;

test("a chunk of two batches, by hand: each sample's last loss, its step, whether it was right, how often it was drawn", () => {
  const ledger = new Ledger(5, training);
  ledger.recordTraining({
    firstStep: 7,
    indices: Uint32Array.of(4, 0, 2),
    offsets: Uint32Array.of(0, 2, 3),
    signals: { loss: Float32Array.of(0.5, 1.5, 2.5), correct: Uint8Array.of(1, 0, 1) },
  });
  expect(ledger.view).toEqual({
    loss: Float32Array.of(1.5, nan, 2.5, nan, 0.5),
    meanLoss: Float32Array.of(1.5, nan, 2.5, nan, 0.5),
    seenAtStep: Int32Array.of(7, -1, 8, -1, 7),
    correct: Uint8Array.of(0, 255, 1, 255, 1),
    draws: Uint32Array.of(1, 0, 1, 0, 1),
  });
});

test("a sample that is drawn twice keeps its last loss, counts twice, and its mean moves a quarter of the way", () => {
  const ledger = new Ledger(2, training);
  ledger.recordTraining({
    firstStep: 0,
    indices: Uint32Array.of(1, 1),
    offsets: Uint32Array.of(0, 2),
    signals: { loss: Float32Array.of(4, 8), correct: Uint8Array.of(0, 0) },
  });
  ledger.recordTraining({
    firstStep: 1,
    indices: Uint32Array.of(1),
    offsets: Uint32Array.of(0, 1),
    signals: { loss: Float32Array.of(1), correct: Uint8Array.of(1) },
  });
  expect(ledger.view).toEqual({
    loss: Float32Array.of(nan, 1),
    meanLoss: Float32Array.of(nan, 4), // 0.75 · (0.75 · 4 + 0.25 · 8) + 0.25 · 1 = 4
    seenAtStep: Int32Array.of(-1, 1),
    correct: Uint8Array.of(255, 1),
    draws: Uint32Array.of(0, 3),
  });
});

test("a view that an order holds shows what is recorded later", () => {
  const ledger = new Ledger(1, training);
  const { view } = ledger;
  ledger.recordScores(Uint32Array.of(0), 0, { loss: Float32Array.of(4), correct: Uint8Array.of(1) });
  expect(view.loss[0]).toBe(4);
});

test("scores are of the step that they were made after, and count as no draw", () => {
  const ledger = new Ledger(3, training);
  ledger.recordScores(Uint32Array.of(0, 2), 12, { loss: Float32Array.of(4, 5), correct: Uint8Array.of(1, 0) });
  expect(ledger.view).toMatchObject({
    loss: Float32Array.of(4, nan, 5),
    seenAtStep: Int32Array.of(12, -1, 12),
    draws: Uint32Array.of(0, 0, 0),
  });
});

test("where losses are to come from scoring passes, training counts draws and changes no loss", () => {
  const ledger = new Ledger(2, { ...training, source: "rescore" });
  ledger.recordScores(Uint32Array.of(0, 1), 0, { loss: Float32Array.of(4, 5), correct: Uint8Array.of(1, 0) });
  ledger.recordTraining({
    firstStep: 0,
    indices: Uint32Array.of(1, 0),
    offsets: Uint32Array.of(0, 2),
    signals: { loss: Float32Array.of(1, 2), correct: Uint8Array.of(0, 0) },
  });
  expect(ledger.view).toMatchObject({
    loss: Float32Array.of(4, 5),
    seenAtStep: Int32Array.of(0, 0),
    draws: Uint32Array.of(1, 1),
  });
});

test("the signals that an order declares have columns, others have none", () => {
  const ledger = new Ledger(2, { ...training, extras: ["margin"] });
  ledger.recordTraining({
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
  expect(ledger.view.margin).toEqual(Float32Array.of(nan, -2));
  expect(ledger.view.el2n).toBeUndefined();
});
