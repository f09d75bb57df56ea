/**
 * Sizes that grow or shrink by the same factor from epoch to epoch (or over any equal share of the run).
 *
 * Choose it to take the place of a learning rate that falls exponentially: the noise of a step goes with rate over
 * size, so a size that doubles does what a rate that halves does (Smith et al. 2018, "Don't decay the learning rate,
 * increase the batch size"). It costs nothing by itself; large batches need memory, small ones take more steps.
 */
import { z } from "zod";
import { defineBatching } from "./contract.js";
import { position, wayChangesBy, wayOptions } from "./position.js";

export default defineBatching({
  name: "geometric",
  summary: "Sizes that change by equal factors from one to another, over the epochs or over all batches.",
  whenToChoose:
    "In place of a rate that falls exponentially: doubling the batch for halving the rate (Smith et al. 2018).",
  options: z.strictObject(wayOptions),
  changesBy: ({ per }) => wayChangesBy(per),

  size(place, { from, to, per }) {
    return from * (to / from) ** position(place, per);
  },
});
