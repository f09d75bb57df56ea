/**
 * The same sequence in every epoch.
 *
 * Choose it as the baseline that shows what reshuffling is worth. It costs nothing. `file` is the sequence the
 * data comes in, which for sorted files means batches of one class; `shuffled` mixes once and keeps that, equal to
 * the first epoch of `shuffled` with the same seed. From the 2019 study.
 */
import { z } from "zod";
import { shuffled } from "../../kernels/shuffle.js";
import { cut, defineOrder } from "../contract.js";

export default defineOrder({
  name: "frozen",
  summary: "The same sequence in every epoch: the file's, or one fixed shuffle.",
  whenToChoose: "A baseline: what is reshuffling worth? Costs nothing. From the 2019 study.",
  options: z.strictObject({
    sequence: z
      .enum(["file", "shuffled"])
      .default("file")
      .describe("file: as the data comes, whatever the seed; shuffled: one shuffle of each seed, kept in all epochs"),
  }),
  coverage: () => "each-once",
  readsLedger: false,
  deviation: "To keep one sequence is what it is for; the file's sequence has no seed either.",
  changesEachEpoch: () => false,
  dependsOnSeed: (options) => options.sequence === "shuffled",

  order(context) {
    const { eligible } = context;
    const indices =
      context.options.sequence === "file" ? eligible.slice() : shuffled(eligible, context.random("order", 0));
    return { indices, offsets: cut(indices.length, context.size) };
  },
});
