/**
 * Samples sorted by loss within their class; batches near each class's share, and close in rank.
 *
 * Choose it to ask about difficulty without the mix of classes changing along with it, as it does in `loss-global`,
 * where the hardest batches are mostly of the hardest classes. Each class is sorted by itself; the sample of rank r
 * (from 0) in a class of s stands at (r + ½) / s, and the classes are merged by that: every stretch of the merged list
 * has the classes in proportion and ranks that are alike. With `spread` each batch gets each class's share from the
 * whole range of that class. Each epoch holds every sample once. It costs a shuffle and two sorts. Announced in the
 * 2019 study.
 *
 * Classes that stand at the same place come in a sequence that is drawn once an epoch: with equal classes any k
 * samples in succession, so every batch, hold floor or ceil of k / classes of each. With unequal ones small classes
 * stand close together: a batch is off a class's share of its samples by at most 1 + C·s / n, of C classes, s of n
 * samples being of that class: up to any place in the list each class is off by at most ½. Equal values stay as a fresh
 * shuffle left them, not as the file has them. Samples never seen come last in their class. Before any value is
 * known, as in the first epoch, it is the order `shuffled`, to the bit; it is not balanced then.
 *
 * `jitter` is in ranks of the class. `batches: shuffled` cuts the merged list among the batches in a random sequence:
 * batch b keeps its size.
 */
import { z } from "zod";
import { argsort } from "../../kernels/argsort.js";
import { argsortWithin } from "../../kernels/argsort-within.js";
import type { Grouped } from "../../kernels/classes.js";
import { consecutive } from "../../kernels/consecutive.js";
import type { Random } from "../../kernels/random.js";
import { shuffle } from "../../kernels/shuffle.js";
import { defineOrder } from "../contract.js";
import { declaredFor } from "../signal.js";
import { arranged, directionOf, jittered, sortOptions, unsorted } from "../sorted-batches.js";

export default defineOrder({
  name: "loss-per-class",
  summary: "Sorted by loss within each class; batches near each class's share, and close in rank.",
  whenToChoose:
    "What is equal difficulty worth when the mix of classes stays as it is? The first epoch is a shuffle. A batch is off a class's share by less than one sample with equal classes, else by at most 1 + classes × that class's share of the data. Costs a shuffle and two sorts. From the 2019 study.",
  options: z.strictObject(sortOptions),
  coverage: () => "each-once",
  readsLedger: true,
  signals: ({ by }) => declaredFor(by),
  changesEachEpoch: () => true,
  dependsOnSeed: () => true,

  order(context) {
    const { options, labels, classCount } = context;
    const random = context.random("order");
    const { samples, offsets, values } = unsorted(context, random);
    if (values === undefined) return { indices: samples, offsets };

    const classes = samples.map((sample) => labels[sample]);
    const places = argsortWithin(values, classes, classCount, directionOf(options));
    const byClass = { indices: places.indices.map((place) => samples[place]), offsets: places.offsets };
    jitterWithin(byClass, options.jitter, random);
    // Dealt to all batches, class after class gives each batch its share of every class.
    const list = options.spread ? byClass.indices : merged(byClass, random);
    return { indices: arranged(list, offsets, options, random), offsets };
  },
});

/** Noise on the ranks within each class, in place. */
function jitterWithin({ indices, offsets }: Grouped, jitter: number, random: Random): void {
  if (jitter === 0) return;
  for (let c = 0; c + 1 < offsets.length; c++) {
    const members = indices.subarray(offsets[c], offsets[c + 1]);
    members.set(jittered(members, jitter, random));
  }
}

/** The classes as one list by (rank + ½) / class size; where those are equal, in one random sequence of classes. */
function merged({ indices, offsets }: Grouped, random: Random): Uint32Array {
  const classes = consecutive(offsets.length - 1);
  shuffle(classes, random);
  const keys = new Float32Array(indices.length);
  const samples = new Uint32Array(indices.length);
  let filled = 0;
  for (const c of classes) {
    const size = offsets[c + 1] - offsets[c];
    for (let rank = 0; rank < size; rank++) {
      keys[filled] = (rank + 0.5) / size;
      samples[filled++] = indices[offsets[c] + rank];
    }
  }
  return argsort(keys, "ascending").map((place) => samples[place]);
}
