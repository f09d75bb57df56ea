/**
 * The rate falls by a factor at given epochs.
 *
 * Choose it to follow recipes written that way, such as most older ones for ResNets. torch's MultiStepLR.
 */
import { z } from "zod";
import { defineSchedule } from "./contract.js";

export default defineSchedule({
  name: "step",
  summary: "The learning rate falls by a factor at given epochs.",
  whenToChoose: "To follow recipes written that way, as most older ones for ResNets. torch's MultiStepLR.",
  options: z.strictObject({
    milestones: z
      .array(z.number().positive())
      .min(1)
      .refine((epochs) => epochs.every((epoch, i) => i === 0 || epoch > epochs[i - 1]), "must rise")
      .describe("epochs before which the rate falls, rising; 2 is after two whole epochs, fractions are allowed"),
    gamma: z.number().positive().default(0.1).describe("factor of the rate at each milestone"),
  }),

  factor({ progress, epochs }, { milestones, gamma }) {
    let factor = 1;
    for (const milestone of milestones) {
      // Both sides are divided by `epochs`, so that a whole milestone falls exactly on its epoch's first batch.
      if (progress >= milestone / epochs) factor *= gamma;
    }
    return factor;
  },
});
