/**
 * Every batch of the same size.
 *
 * Choose it unless the size of batches is what you study. It costs nothing. Common practice.
 */
import { z } from "zod";
import { defineBatching } from "./contract.js";

export default defineBatching({
  name: "constant",
  summary: "Every batch of the same size; the last one holds what is left.",
  whenToChoose: "Unless the size of batches is what you study. Common practice.",
  options: z.strictObject({
    size: z.int().min(1).describe("samples in a batch; an integer of at least 1, without a default"),
  }),

  changesBy: () => "nothing",
  size(_place, options) {
    return options.size;
  },
});
