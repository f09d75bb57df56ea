/**
 * Sizes on a straight line, growing or shrinking.
 *
 * Choose it to ask whether noise is better early or late in a run: small batches are noisy, large ones are not. A
 * growing batch is the counterpart of a falling learning rate (Smith et al. 2018, "Don't decay the learning rate,
 * increase the batch size"). It costs nothing by itself; large batches need memory, small ones take more steps.
 */
import { z } from "zod";
import { defineBatching } from "./contract.js";
import { position, wayChangesBy, wayOptions } from "./position.js";

export default defineBatching({
  name: "linear",
  summary: "Sizes on a straight line from one to another, over the epochs or over all batches.",
  whenToChoose:
    "Is noise better early or late? Growing batches are the counterpart of a falling rate (Smith et al. 2018).",
  options: z.strictObject(wayOptions),
  changesBy: ({ per }) => wayChangesBy(per),

  size(place, { from, to, per }) {
    return from + (to - from) * position(place, per);
  },
});
