/** How far a size has gone on its way from one value to another: what `linear` and `geometric` have in common. */
import { z } from "zod";
import type { BatchPlace, ChangesBy } from "./contract.js";

export type Per = "epoch" | "batch";

/** The options of a way from one size to another. */
export const wayOptions = {
  from: z.int().min(1).describe("samples in the first batch of the run; an integer of at least 1, without a default"),
  to: z
    .int()
    .min(1)
    .describe("samples in a batch at the end of the run; above `from` grows, below shrinks; without a default"),
  per: z
    .enum(["epoch", "batch"])
    .default("epoch")
    .describe(
      "epoch: one size in each epoch, `to` in the last one. With a budget a size goes by the share of it that is spent where the " +
        "epoch begins, so `to` is not reached: of two epochs the last stands half of the way, of five at 4/5, and a run of the same " +
        "length in `epochs` trains otherwise; take batch there. batch: changes within epochs, with the samples trained on or the " +
        "budget spent, near `to` in the last batches",
    ),
};

export const wayChangesBy = (per: Per): ChangesBy => (per === "epoch" ? "epochs" : "progress");

/**
 * Share of the way, in [0, 1]. Per epoch it is epoch / (epochs − 1), so that the last epoch is at the end of it; a run of one
 * epoch stays at the start. With a budget, which may last for more or fewer epochs than it nominally does, it is the share
 * spent where the epoch begins, which is below 1 in each. Per batch it is the progress of the run, which is near 1 in the last batches.
 */
export function position({ epoch, epochs, share, spentBefore }: BatchPlace, per: Per): number {
  if (per === "batch") return share;
  if (spentBefore !== undefined) return spentBefore;
  return epochs > 1 ? epoch / (epochs - 1) : 0;
}
