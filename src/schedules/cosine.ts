/**
 * The rate falls along half a cosine, from all of it to a last share.
 *
 * Choose it for full training runs: no milestones to tune, and arms with equal budgets end fully decayed. SGDR
 * without restarts (Loshchilov and Hutter 2017); torch's CosineAnnealingLR, a step being a batch.
 */
import { z } from "zod";
import { defineSchedule } from "./contract.js";

export default defineSchedule({
  name: "cosine",
  summary: "The learning rate falls along half a cosine over the whole budget.",
  whenToChoose: "Full training runs: no milestones to tune. torch's CosineAnnealingLR, batch by batch.",
  options: z.strictObject({
    finalFactor: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe("share of the rate that is reached at the end of the budget, in 0 … 1"),
  }),

  factor({ progress }, { finalFactor }) {
    return finalFactor + ((1 - finalFactor) * (1 + Math.cos(Math.PI * progress))) / 2;
  },
});
