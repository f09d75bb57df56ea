import { expect, test } from "vitest";
import { chooseHardest, MOST_CLASSES, noHardSamples, recordEpoch } from "../../src/training/hard-samples.js";

const { NaN: nan } = Number;
const NOT_SEEN = 2 ** 32 - 1;

const epoch = (loss: readonly number[], predictions: readonly number[]) => ({
  loss: Float32Array.from(loss),
  predictions: Uint32Array.from(predictions),
});

test("means and shares are over the epochs in which a sample was drawn", () => {
  // All of class 0. Sample 0: losses 9 and 1, wrong once in two. 1: loss 6, never wrong. 2: loss 2, always wrong.
  const labels = Uint32Array.of(0, 0, 0);
  const hard = noHardSamples(labels.length);
  recordEpoch(hard, labels, epoch([9, 6, nan], [1, 0, NOT_SEEN]));
  recordEpoch(hard, labels, epoch([1, nan, 2], [0, NOT_SEEN, 1]));
  expect(
    [...chooseHardest(hard, labels, { classCount: 1, count: 1 })],
    "the highest mean, 6, and the largest share, all",
  ).toEqual([1, 2]);
});

test("each class gives its own; a sample that is both comes once; ascending", () => {
  const labels = Uint32Array.of(1, 0, 1, 0);
  const hard = noHardSamples(labels.length);
  recordEpoch(hard, labels, epoch([5, 1, 7, 2], [0, 0, 0, 0]));
  expect(
    [...chooseHardest(hard, labels, { classCount: 2, count: 1 })],
    "class 0: 3 by loss; class 1: 2 by both",
  ).toEqual([2, 3]);
});

test("of equally misjudged samples the one with the higher loss, of equal losses the first", () => {
  const labels = Uint32Array.of(0, 0, 0, 0);
  const hard = noHardSamples(labels.length);
  recordEpoch(hard, labels, epoch([3, 4, 8, 8], [1, 1, 0, 0]));
  expect([...chooseHardest(hard, labels, { classCount: 1, count: 1 })]).toEqual([1, 2]);
});

test("samples that were never drawn, or never misjudged, are not misjudged; none are asked for, none come", () => {
  const labels = Uint32Array.of(0, 0, 0);
  const hard = noHardSamples(labels.length);
  recordEpoch(hard, labels, epoch([3, nan, 1], [0, NOT_SEEN, 0]));
  expect([...chooseHardest(hard, labels, { classCount: 1, count: 1 })]).toEqual([0]);
  expect([...chooseHardest(hard, labels, { classCount: 1, count: 10 })]).toEqual([0, 2]);
  expect([...chooseHardest(hard, labels, { classCount: 1, count: 0 })]).toEqual([]);
});

test("of more classes than are kept, those with the highest losses", () => {
  const classCount = MOST_CLASSES + 3;
  const labels = Uint32Array.from({ length: classCount }, (_, at) => at);
  const easy = new Set([1, 7, classCount - 1]);
  const hard = noHardSamples(classCount);
  const losses = [...labels].map((label) => (easy.has(label) ? 0.5 : 1 + label));
  recordEpoch(hard, labels, epoch(losses, [...labels]));
  expect([...chooseHardest(hard, labels, { classCount, count: 8 })]).toEqual(
    [...labels].filter((label) => !easy.has(label)),
  );
});
