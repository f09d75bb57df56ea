/**
 * Samples sorted by loss over the whole set.
 *
 * Choose it to ask what it is worth to train on samples of equal difficulty together, the hardest first (or the
 * easiest: a curriculum, Bengio et al. 2009); with `spread`, what it is worth that each batch spans all difficulties.
 * Each epoch holds every sample once, so only the sequence changes. It costs a shuffle and a sort; losses are those
 * of the last pass, free but of different ages. Hardest first gathers mislabelled samples. Announced in the 2019 study.
 *
 * Equal values (0 is one) stay as a fresh shuffle left them, not as the file has them; an epoch changes nothing else
 * while the ledger is equal. Samples never seen come last. Before any value is known, as in the first epoch, it is
 * the order `shuffled`, to the bit.
 *
 * `batches: shuffled` cuts the sorted list among the batches in a random sequence: batch b keeps its size, whatever
 * the batching rule says, and still holds neighbours. `jitter` comes before the cut.
 */
import { z } from "zod";
import { argsort } from "../../kernels/argsort.js";
import { defineOrder } from "../contract.js";
import { declaredFor } from "../signal.js";
import { arranged, directionOf, jittered, sortOptions, unsorted } from "../sorted-batches.js";

export default defineOrder({
  name: "loss-global",
  summary: "Sorted by loss over the whole set: batches of equal difficulty, or each across all with `spread`.",
  whenToChoose:
    "What are batches of equal difficulty worth, hardest or easiest first? Mind label noise. The first epoch is a shuffle. Costs a shuffle and a sort. From the 2019 study.",
  options: z.strictObject(sortOptions),
  coverage: () => "each-once",
  readsLedger: true,
  signals: ({ by }) => declaredFor(by),
  changesEachEpoch: () => true,
  dependsOnSeed: () => true,

  order(context) {
    const { options } = context;
    const random = context.random("order");
    const { samples, offsets, values } = unsorted(context, random);
    if (values === undefined) return { indices: samples, offsets };
    const sorted = argsort(values, directionOf(options)).map((place) => samples[place]);
    return { indices: arranged(jittered(sorted, options.jitter, random), offsets, options, random), offsets };
  },
});
