import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { splitDataset } from "../../src/training/split.js";
import { mistake } from "../mistake.js";

/** 10 classes; class c has 20 + 4c samples, in a mixed sequence. */
const labels = Uint32Array.from(
  Array.from({ length: 10 }, (_, label) => Array.from({ length: 20 + 4 * label }, (_, at) => ({ label, at })))
    .flat()
    .sort((a, b) => a.at - b.at || a.label - b.label),
  ({ label }) => label,
);
const n = labels.length;

const countsOf = (indices: Uint32Array) => {
  const counts = new Array<number>(10).fill(0);
  for (const index of indices) counts[labels[index]] += 1;
  return counts;
};
const ascending = (indices: Uint32Array) => indices.every((index, at) => at === 0 || indices[at - 1] < index);

test("nothing asked for: every sample is eligible, none is held out", () => {
  const { eligible, validation, trainSample } = splitDataset(labels, 10, {
    subset: null,
    validation: 0,
    trainSample: 0,
  });
  expect([...eligible]).toEqual([...labels.keys()]);
  expect([validation.length, trainSample.length]).toEqual([0, 0]);
});

test("what rates are tuned on is a share of what is given to be trained on, by class, and nothing else changes", () => {
  const options = { subset: 200, validation: 20, trainSample: 30 };
  const own = splitDataset(labels, 10, options);
  const tuning = splitDataset(labels, 10, { ...options, heldOut: 0.1 });
  expect([tuning.validation.length, tuning.eligible.length]).toEqual([20, 180]);
  expect(ascending(tuning.validation)).toBe(true);
  expect([...tuning.eligible, ...tuning.validation].sort((a, b) => a - b)).toEqual([...own.eligible]);
  const shares = countsOf(own.eligible).map((count) => 0.1 * count);
  const apart = countsOf(tuning.validation).map((count, label) => Math.abs(count - shares[label]));
  expect(Math.max(...apart)).toBeLessThan(1);
  expect(tuning.trainSample.every((index) => tuning.eligible.includes(index))).toBe(true);
  const other = splitDataset(labels, 10, { ...options, trainSample: 0, heldOut: 0.1 });
  expect(other.validation).toEqual(tuning.validation);
});

test("a part to tune on that is none, or all, is refused", () => {
  const given = { subset: 4, validation: 0, trainSample: 0 };
  const refusal = (heldOut: number) => mistake(() => splitDataset(labels, 10, { ...given, heldOut }));
  expect(refusal(0.1)).toBe("tune.validation 0.1 of 4 samples is none: raise it");
  expect(refusal(0.9)).toBe("tune.validation 0.9 of 4 samples is all of them: lower it");
});

test("sizes are as asked for; parts are ascending, disjoint, in range; the sample is of what is trained on", () => {
  const sizes = fc.record({
    subset: fc.integer({ min: 1, max: n }),
    validation: fc.nat(n),
    trainSample: fc.nat(2 * n),
  });
  fc.assert(
    fc.property(
      sizes.filter(({ subset, validation }) => subset + validation <= n),
      ({ subset, validation: held, trainSample: sampled }) => {
        const { eligible, validation, trainSample } = splitDataset(labels, 10, {
          subset,
          validation: held,
          trainSample: sampled,
        });
        expect([eligible.length, validation.length]).toEqual([subset, held]);
        expect(trainSample.length).toBe(Math.min(sampled, subset));
        for (const part of [eligible, validation, trainSample]) {
          expect(ascending(part)).toBe(true);
          expect(part.every((index) => index < n)).toBe(true);
        }
        const trained = new Set(eligible);
        expect(validation.some((index) => trained.has(index))).toBe(false);
        expect(trainSample.every((index) => trained.has(index))).toBe(true);
      },
    ),
  );
});

test("each part holds of each class its share, to within one sample", () => {
  const { eligible, validation, trainSample } = splitDataset(labels, 10, {
    subset: 150,
    validation: 95,
    trainSample: 60,
  });
  const all = countsOf(Uint32Array.from(labels.keys()));
  const rest = all.map((count, label) => count - countsOf(validation)[label]);
  const trained = countsOf(eligible);
  for (const [part, from, size] of [
    [validation, all, 95],
    [eligible, rest, 150],
    [trainSample, trained, 60],
  ] as const) {
    const total = from.reduce((sum, count) => sum + count, 0);
    for (const [label, count] of countsOf(part).entries()) {
      expect(Math.abs(count - (size * from[label]) / total)).toBeLessThan(1);
    }
  }
});

test("is a function of the labels alone: the same again, with nothing of an arm or a seed to ask for", () => {
  const options = { subset: 100, validation: 50, trainSample: 20 };
  expect(splitDataset(labels, 10, options)).toEqual(splitDataset(labels.slice(), 10, options));
});

test("a seed of the subset draws another one, and leaves the validation part; 0 is that of all seeds", () => {
  const options = { subset: 100, validation: 50, trainSample: 20 };
  const [all, zero, one, again] = [undefined, 0, 1, 1].map((subsetSeed) =>
    splitDataset(labels, 10, { ...options, ...(subsetSeed !== undefined && { subsetSeed }) }),
  );
  expect(zero).toEqual(all);
  expect(again).toEqual(one);
  expect(one.validation).toEqual(all.validation);
  expect(one.eligible).not.toEqual(all.eligible);
  expect(one.eligible).toHaveLength(100);
  expect(one.trainSample.every((sample) => one.eligible.includes(sample))).toBe(true);
});

test("the validation part does not depend on the subset, so arms with other subsets share it", () => {
  const validation = (subset: number | null) =>
    splitDataset(labels, 10, { subset, validation: 50, trainSample: 0 }).validation;
  expect(validation(10)).toEqual(validation(null));
});

describe("more than there is", () => {
  const four = Uint32Array.of(0, 1, 0, 1);
  test.each([
    [
      { subset: 5, validation: 0 },
      "dataset.subset 5 and dataset.validation 0 are more than the 4 training samples: lower one of them",
    ],
    [
      { subset: 3, validation: 2 },
      "dataset.subset 3 and dataset.validation 2 are more than the 4 training samples: lower one of them",
    ],
    [{ subset: null, validation: 4 }, "dataset.validation 4 leaves nothing of the 4 training samples: lower it"],
  ])("%o", (sizes, expected) => {
    expect(mistake(() => splitDataset(four, 2, { ...sizes, trainSample: 0 }))).toBe(expected);
  });

  test("all there is can be asked for", () => {
    expect(splitDataset(four, 2, { subset: 2, validation: 2, trainSample: 9 }).trainSample).toHaveLength(2);
    expect(splitDataset(four, 2, { subset: null, validation: 3, trainSample: 9 }).eligible).toHaveLength(1);
  });
});

describe("halves", () => {
  const sizes = { subset: null, validation: 70, trainSample: 0 };
  const half = (part: "a" | "b", more: object = {}) => splitDataset(labels, 10, { ...sizes, part, ...more });

  test("share out what is not for validation, by class, whatever is taken of them", () => {
    const [a, b] = [half("a"), half("b")];
    const whole = splitDataset(labels, 10, sizes);
    expect([a.validation, b.validation]).toEqual([whole.validation, whole.validation]);
    expect([a.otherPart, b.otherPart]).toEqual([b.eligible, a.eligible]);
    expect([...a.eligible, ...b.eligible].sort((one, other) => one - other)).toEqual([...whole.eligible]);
    const differences = countsOf(a.eligible).map((count, label) => Math.abs(count - countsOf(b.eligible)[label]));
    expect(Math.max(...differences)).toBeLessThanOrEqual(1);
    expect(whole.otherPart).toHaveLength(0);

    const few = half("b", { subset: 20 });
    expect(few.eligible.every((index) => b.eligible.includes(index))).toBe(true);
    expect([few.eligible.length, few.otherPart]).toEqual([20, a.eligible]);
  });

  test("more than one holds is refused", () => {
    expect(mistake(() => half("a", { subset: 200 }))).toBe(
      "dataset.part a has 155 of the 310 samples, dataset.subset asks for 200: lower it",
    );
  });
});
