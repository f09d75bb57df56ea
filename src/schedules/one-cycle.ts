/**
 * The rate rises to its peak and falls far below its start, both along half a cosine.
 *
 * Choose it for fast training with a high rate; `learningRate` is the peak, and warm-up is built in. Smith and
 * Topin 2018; torch's OneCycleLR with cosine annealing, except that momentum stays as it is. torch spends the
 * budget on one step less in all and one less before the peak; the difference is at most a step.
 */
import { z } from "zod";
import { defineSchedule } from "./contract.js";

export default defineSchedule({
  name: "one-cycle",
  summary: "The learning rate rises to its peak and then falls far below its start.",
  whenToChoose: "Fast training with a high rate, which is the peak. torch's OneCycleLR, without cycling momentum.",
  options: z.strictObject({
    peakAt: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.3)
      .describe("share of the budget at which the peak comes, between 0 and 1"),
    startFactor: z
      .number()
      .positive()
      .max(1)
      .default(1 / 25)
      .describe("share of the peak at the start (torch: 1 / div_factor)"),
    finalFactor: z
      .number()
      .min(0)
      .max(1)
      .default(1 / (25 * 1e4))
      .describe("share of the peak at the end (torch: 1 / (div_factor · final_div_factor))"),
  }),

  factor({ progress }, { peakAt, startFactor, finalFactor }) {
    if (progress < peakAt) return alongCosine(startFactor, 1, progress / peakAt);
    return alongCosine(1, finalFactor, (progress - peakAt) / (1 - peakAt));
  },
});

/** From `from` to `to` along half a cosine, as `share` goes from 0 to 1. */
function alongCosine(from: number, to: number, share: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;
}
