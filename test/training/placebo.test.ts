import fc from "fast-check";
import { expect, test } from "vitest";
import { consecutive } from "../../src/kernels/consecutive.js";
import type { LedgerView } from "../../src/orders/contract.js";
import { PermutedLedger } from "../../src/training/placebo.js";

const N = 60;
/** Fifty of sixty: not the last ones, nor each that ends in 3 or 7 … but the same fifty in every test. */
const eligible = Uint32Array.from({ length: N }, (_, index) => index).filter((index) => index % 6 !== 2);

/** Every sample is told from all others by each of its columns, but for `correct`. */
const ledger: LedgerView = {
  loss: Float32Array.from({ length: N }, (_, index) => (index % 11 === 0 ? Number.NaN : index / 8)),
  meanLoss: Float32Array.from({ length: N }, (_, index) => 100 + index),
  seenAtStep: Int32Array.from({ length: N }, (_, index) => 1000 + index),
  correct: Uint8Array.from({ length: N }, (_, index) => [0, 1, 255][index % 3]),
  draws: Uint32Array.from({ length: N }, (_, index) => index),
  margin: Float32Array.from({ length: N }, (_, index) => -index),
  el2n: Float32Array.from({ length: N }, (_, index) => index / 64),
};

/** All that is known of a sample, as a text. */
const known = ({ loss, meanLoss, seenAtStep, correct, margin, el2n }: LedgerView, index: number) =>
  [loss, meanLoss, seenAtStep, correct, margin, el2n].map((column) => column?.[index]).join(" ");
const knownOf = (view: LedgerView) => [...eligible].map((index) => known(view, index));

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const epochs = fc.nat(1000);

test("what is known of the eligible samples stays together and is all there: it only changes its sample", () => {
  fc.assert(
    fc.property(seeds, epochs, (seed, epoch) => {
      const permuted = new PermutedLedger(ledger, eligible, { seed, epoch }).view;
      expect(knownOf(permuted).toSorted()).toEqual(knownOf(ledger).toSorted());
      expect(knownOf(permuted), "never the identity").not.toEqual(knownOf(ledger));
    }),
  );
});

test("what is not eligible is untouched, and so is how often each sample was drawn", () => {
  const before = structuredClone(ledger);
  const permuted = new PermutedLedger(ledger, eligible, { seed: 3, epoch: 1 }).view;
  for (let index = 2; index < N; index += 6) expect(known(permuted, index)).toBe(known(ledger, index));
  expect(permuted.draws).toEqual(ledger.draws);
  expect(permuted.entropy).toBeUndefined();
  expect(ledger, "the ledger itself keeps what it had").toEqual(before);
});

test("a function of seed and epoch: the same again, another one for another epoch or seed, each a key of its own", () => {
  const of = (seed: number, epoch: number) =>
    knownOf(new PermutedLedger(ledger, eligible, { seed, epoch }).view).join();
  expect(of(5, 2)).toBe(of(5, 2));
  const all = [0, 1, 2].flatMap((seed) => [0, 1, 2].map((epoch) => of(seed, epoch)));
  expect(new Set(all).size).toBe(9);
});

test("every sample may come by what is known of any other one: over 400 seeds each pair of 4 comes near a quarter", () => {
  const four = Uint32Array.of(0, 1, 2, 3);
  const times = Array.from({ length: 4 }, () => [0, 0, 0, 0]);
  for (let seed = 0; seed < 400; seed++) {
    const { seenAtStep } = new PermutedLedger(ledger, four, { seed, epoch: 0 }).view;
    for (const index of four) times[index][seenAtStep[index] - 1000] += 1;
  }
  // Four standard deviations of a count of 400 draws at 1/4: 4 · √(400 · 3/16) < 35.
  for (const count of times.flat()) expect(Math.abs(count - 100)).toBeLessThan(35);
});

test("what the ledger learns later is in the view as if it had been there, at the samples that it says", () => {
  const samples = fc.uint8Array({ minLength: 1, maxLength: 20, max: eligible.length - 1 });
  fc.assert(
    fc.property(seeds, epochs, samples, (seed, epoch, places) => {
      const learning = structuredClone(ledger) as typeof ledger & { loss: Float32Array };
      const permuted = new PermutedLedger(learning, eligible, { seed, epoch });
      const before = structuredClone(permuted.view);
      const learned = Uint32Array.from(places, (place) => eligible[place]);
      for (const sample of learned) learning.loss[sample] += 1000;
      const changed = permuted.learned(learned);
      expect([...changed]).toEqual(expect.arrayContaining([...learned])); // of them the draws are others
      expect(permuted.view).toEqual(new PermutedLedger(learning, eligible, { seed, epoch }).view);
      const others = consecutive(N).filter((sample) => !changed.includes(sample));
      for (const sample of others) expect(permuted.view.loss[sample]).toBe(before.loss[sample]);
    }),
  );
});

test("among those that were seen, what was never seen stays so", () => {
  const half = { ...ledger, seenAtStep: ledger.seenAtStep.slice() };
  const unseen = eligible.filter((_, at) => at % 2 === 0);
  for (const sample of unseen) half.seenAtStep[sample] = -1;
  const { seenAtStep, loss } = new PermutedLedger(half, eligible, { seed: 3, epoch: 1, among: "seen" }).view;
  expect([...eligible].filter((sample) => seenAtStep[sample] === -1)).toEqual([...unseen]);
  const seen = eligible.filter((sample) => half.seenAtStep[sample] >= 0);
  const lossesOf = (losses: Readonly<Float32Array>) => [...seen].map((sample) => losses[sample]);
  expect(lossesOf(loss)).not.toEqual(lossesOf(half.loss));
  expect(lossesOf(loss).sort()).toEqual(lossesOf(half.loss).sort());
});
