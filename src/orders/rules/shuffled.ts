/**
 * A fresh, unbiased shuffle in every epoch.
 *
 * Choose it as the baseline of every comparison: it is what nearly everyone trains with. It costs one
 * pass over the indices. Common practice; from the 2019 study.
 */
import { z } from "zod";
import { shuffled } from "../../kernels/shuffle.js";
import { cut, defineOrder } from "../contract.js";

export default defineOrder({
  name: "shuffled",
  summary: "A fresh shuffle in every epoch.",
  whenToChoose: "The usual baseline. Costs one pass over the indices. Common practice.",
  options: z.strictObject({}),
  coverage: () => "each-once",
  readsLedger: false,
  changesEachEpoch: () => true,
  dependsOnSeed: () => true,

  order(context) {
    const indices = shuffled(context.eligible, context.random("order"));
    return { indices, offsets: cut(indices.length, context.size) };
  },
});
