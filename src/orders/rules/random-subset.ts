/**
 * A uniform sample of a given share, drawn anew in every epoch.
 *
 * Choose it as the control of any order that trains on a part: the same number of steps without knowing anything.
 * Drawn anew each epoch it beats many methods that choose samples (Guo et al. 2022, DeepCore). It costs one pass over
 * the indices. It is the first part of what `shuffled` would take in that epoch, to the bit, and with fraction 1 all
 * of it.
 *
 * It needs no weights and changes no objective: each sample is in with the same chance, so that over epochs the mean
 * gradient is that of all eligible samples.
 */
import { z } from "zod";
import { cut, defineOrder } from "../contract.js";
import { fractionOption, sampleSize, uniformSample } from "../fraction.js";

export default defineOrder({
  name: "random-subset",
  summary: "A uniform sample of a given share, drawn anew in every epoch, shuffled.",
  whenToChoose:
    "The control of whatever trains on a part of the samples. Costs one pass over the indices. DeepCore's control (Guo et al. 2022).",
  options: z.strictObject({ fraction: fractionOption }),
  coverage: ({ fraction }) => (fraction === 1 ? "each-once" : "at-most-once"),
  epochShare: ({ fraction }) => fraction,
  readsLedger: false,
  deviation: "To train on a part is what it is for.",
  changesObjective: () => false,
  changesEachEpoch: () => true,
  dependsOnSeed: () => true,

  order(context) {
    const { eligible, options } = context;
    const sample = uniformSample(eligible, sampleSize(options.fraction, eligible.length), context.random("order"));
    return { ...sample, offsets: cut(sample.indices.length, context.size) };
  },
});
