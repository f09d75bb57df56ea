/** What a replay says of itself, apart from what reads records: that is listed without any. */
import { z } from "zod";

const options = z.strictObject({
  shuffleWithin: z
    .enum(["none", "epoch"])
    .default("none")
    .describe("none: as recorded; epoch: keeps each epoch's samples and weights, and loses their sequence"),
  exchange: z
    .enum(["samples", "within-class"])
    .optional()
    .describe(
      "a placebo for orders that draw samples again: each sample is exchanged for another one, the same all through the run, drawn by " +
        "the seed; so all is drawn as often, as unevenly and at the same steps, and by no loss of its own. within-class: for one of its " +
        "class, which keeps the classes of each batch; as recorded where left out",
    ),
});

const SUMMARY = "The recorded order of another run: same samples, same sequence, same batches.";
const WHEN =
  "To train another model or another seed on exactly what a run was trained on, or (shuffleWithin: epoch) on its " +
  "samples without their sequence: `order: { replay: DIR }`. Batches are as recorded, whatever the batching rule says. Costs a file read an epoch.";

export type ReplayOptions = z.infer<typeof options>;

/** How a replay is described where orders are listed. */
export const REPLAY = { name: "replay", summary: SUMMARY, whenToChoose: WHEN, options };
