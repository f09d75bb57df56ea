/**
 * Another size from given epochs on.
 *
 * Choose it to grow the batch where a recipe lets the learning rate fall in steps (Smith et al. 2018, "Don't decay
 * the learning rate, increase the batch size", who multiply it by 5 at each), or for sizes of your own. It costs
 * nothing by itself; large batches need memory.
 */
import { z } from "zod";
import { defineBatching } from "./contract.js";

export default defineBatching({
  name: "steps",
  summary: "Another size from given epochs on.",
  whenToChoose: "To grow the batch where a recipe lets the rate fall in steps (Smith et al. 2018).",
  options: z
    .strictObject({
      sizes: z
        .array(z.int().min(1))
        .min(1)
        .describe("samples in a batch before the first of `at`, then from each of `at` on; without a default"),
      at: z
        .array(z.int().min(1))
        .refine((epochs) => epochs.every((epoch, i) => i === 0 || epoch > epochs[i - 1]), "must rise")
        .describe("epochs, from 0, before which the size changes, rising; one fewer than sizes; without a default"),
    })
    .refine(({ sizes, at }) => sizes.length === at.length + 1, {
      message: "expected one size more than there are epochs in `at`",
      path: ["sizes"],
    }),

  changesBy: () => "epoch",
  size({ epoch }, { sizes, at }) {
    return sizes[at.filter((first) => epoch >= first).length];
  },
});
