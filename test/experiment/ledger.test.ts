import { expect, test } from "vitest";
import { Ledger } from "../../src/experiment/ledger.js";

const { NaN: nan } = Number;

test("a chunk of two batches, by hand: each sample's last loss, its step, whether it was right, how often it was drawn", () => {
  const ledger = new Ledger(5);
  ledger.record({
    firstStep: 7,
    indices: Uint32Array.of(4, 0, 2),
    offsets: Uint32Array.of(0, 2, 3),
    loss: Float32Array.of(0.5, 1.5, 2.5),
    correct: Uint8Array.of(1, 0, 1),
  });
  expect(ledger.view).toEqual({
    loss: Float32Array.of(1.5, nan, 2.5, nan, 0.5),
    seenAtStep: Int32Array.of(7, -1, 8, -1, 7),
    correct: Uint8Array.of(0, 255, 1, 255, 1),
    draws: Uint32Array.of(1, 0, 1, 0, 1),
  });
});

test("a sample that is drawn twice keeps its last loss, and counts twice", () => {
  const ledger = new Ledger(2);
  ledger.record({
    firstStep: 0,
    indices: Uint32Array.of(1, 1, 1),
    offsets: Uint32Array.of(0, 2, 3),
    loss: Float32Array.of(3, 2, 1),
    correct: Uint8Array.of(0, 0, 1),
  });
  ledger.record({
    firstStep: 2,
    indices: Uint32Array.of(1),
    offsets: Uint32Array.of(0, 1),
    loss: Float32Array.of(9),
    correct: Uint8Array.of(0),
  });
  expect(ledger.view).toEqual({
    loss: Float32Array.of(nan, 9),
    seenAtStep: Int32Array.of(-1, 2),
    correct: Uint8Array.of(255, 0),
    draws: Uint32Array.of(0, 4),
  });
});

test("a view that an order holds shows what is recorded later", () => {
  const ledger = new Ledger(1);
  const { view } = ledger;
  ledger.record({
    firstStep: 0,
    indices: Uint32Array.of(0),
    offsets: Uint32Array.of(0, 1),
    loss: Float32Array.of(4),
    correct: Uint8Array.of(1),
  });
  expect(view.loss[0]).toBe(4);
});

test("lossesSince: NaN for what was last seen before that step, or never", () => {
  const ledger = new Ledger(4);
  ledger.record({
    firstStep: 0,
    indices: Uint32Array.of(0, 1, 2),
    offsets: Uint32Array.of(0, 1, 2, 3),
    loss: Float32Array.of(1, 2, 3),
    correct: Uint8Array.of(1, 1, 1),
  });
  expect(ledger.lossesSince(0)).toEqual(Float32Array.of(1, 2, 3, nan));
  expect(ledger.lossesSince(1)).toEqual(Float32Array.of(nan, 2, 3, nan));
  expect(ledger.lossesSince(3)).toEqual(Float32Array.of(nan, nan, nan, nan));
  expect(ledger.view.loss, "and the ledger is untouched").toEqual(Float32Array.of(1, 2, 3, nan));
});
