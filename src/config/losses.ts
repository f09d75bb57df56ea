/** The losses of ours that a config can name. */
import { z } from "zod";

export const CROSS_ENTROPY = {
  name: "cross-entropy",
  summary: "−ln of the probability of a sample's class, or, with smoothed labels, of all classes to some share",
  whenToChoose:
    "it is what a config without a loss has; smoothed where few epochs are to generalise (Szegedy et al. 2016)",
  options: z.strictObject({
    labelSmoothing: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe(
        "share ε of the target that goes to all classes alike: a sample's loss is (1 − ε) · −ln p of its class + ε · the mean of −ln p " +
          "over all. This is the loss that is trained on, evaluated, recorded, and that orders read; margin, entropy and el2n are as without",
      ),
  }),
} as const;
