import { describe, expect, test } from "vitest";
import { consecutive } from "../../src/kernels/consecutive.js";
import { noiseDrawn, noisyLabels } from "../../src/training/label-noise.js";
import { chiSquare, chiSquareBounds } from "../kernels/chi-square.js";
import { mistake } from "../mistake.js";

const CLASSES = 6;
const labels = Uint32Array.from({ length: 6000 }, (_, index) => index % CLASSES);
const none = new Uint32Array();
const all = { labels, classCount: CLASSES, eligible: consecutive(labels.length), otherPart: none };
const differing = (noisy: Uint32Array) => [...noisy.keys()].filter((index) => noisy[index] !== labels[index]);

describe("labels that are wrong on purpose", () => {
  test("are of exactly the share of the eligible samples, and of no other", () => {
    const eligible = consecutive(3000).filter((index) => index % 3 > 0);
    const noisy = noisyLabels({ ...all, eligible }, { fraction: 0.25, seed: 0 });
    expect(noisy.relabelled).toHaveLength(500);
    expect(differing(noisy.labels)).toEqual([...noisy.relabelled]);
    expect(noisy.relabelled.every((sample) => eligible.includes(sample))).toBe(true);
  });

  test("are each of the other classes as often, and come to each class as often", () => {
    const { labels: noisy, relabelled } = noisyLabels(all, { fraction: 0.6, seed: 3 });
    const counts = new Array<number>(CLASSES * CLASSES).fill(0);
    for (const sample of relabelled) counts[CLASSES * labels[sample] + noisy[sample]] += 1;
    const others = counts.filter((_, at) => at % (CLASSES + 1) !== 0);
    expect(counts.filter((_, at) => at % (CLASSES + 1) === 0)).toEqual(new Array(CLASSES).fill(0));
    const { low, high } = chiSquareBounds(others.length - 1);
    expect(chiSquare(others)).toBeGreaterThan(low);
    expect(chiSquare(others)).toBeLessThan(high);
  });

  test("are a function of the seed; of a sample that is relabelled in two subsets the same", () => {
    const noise = { fraction: 0.5, seed: 1 };
    const whole = noisyLabels(all, noise);
    expect(noisyLabels(all, noise)).toEqual(whole);
    expect(noisyLabels(all, { ...noise, seed: 2 }).relabelled).not.toEqual(whole.relabelled);
    const part = noisyLabels({ ...all, eligible: consecutive(1000) }, noise);
    const both = part.relabelled.filter((sample) => whole.relabelled.includes(sample));
    expect(both.length).toBeGreaterThan(450);
    expect([...both].map((sample) => part.labels[sample])).toEqual([...both].map((sample) => whole.labels[sample]));
  });

  test("are of the other part, too, as where that is trained on", () => {
    const [a, b] = [0, 1].map((parity) => consecutive(labels.length).filter((index) => index % 2 === parity));
    const noise = { fraction: 0.2, seed: 5 };
    const onA = noisyLabels({ ...all, eligible: a, otherPart: b }, noise);
    const onB = noisyLabels({ ...all, eligible: b, otherPart: a }, noise);
    expect(onA.labels).toEqual(onB.labels);
    expect([onA.relabelled, onA.relabelledElsewhere]).toEqual([onB.relabelledElsewhere, onB.relabelled]);
    expect(onA.relabelled).toHaveLength(600);
    expect(onA.relabelled.every((sample) => sample % 2 === 0)).toBe(true);
    expect(differing(onA.labels)).toHaveLength(1200);
  });

  test("all of them can be wrong, and a share that is none is refused", () => {
    expect(differing(noisyLabels(all, { fraction: 1, seed: 0 }).labels)).toHaveLength(labels.length);
    const few = { ...all, eligible: consecutive(10) };
    expect(mistake(() => noisyLabels(few, { fraction: 0.01, seed: 0 }))).toBe(
      "dataset.labelNoise.fraction 0.01 of 10 eligible samples is none: raise it, or leave labelNoise out",
    );
  });
});

test("what is drawn: of all draws, and of the tenth drawn most, where equals count for their share", () => {
  const eligible = consecutive(20);
  const draws = new Uint32Array(20).fill(1);
  draws[0] = 9; // wrong, and alone above the others
  draws.fill(2, 1, 4); // three for the one place that is left, one of them wrong
  const noise = { relabelled: Uint32Array.of(0, 1, 19) };
  expect(noiseDrawn(draws, eligible, noise)).toEqual({ share: 0.15, drawn: 12 / 31, mostDrawn: (1 + 1 / 3) / 2 });
  expect(noiseDrawn(new Uint32Array(20), eligible, noise)).toEqual({ share: 0.15, drawn: 0, mostDrawn: 0.15 });
});
