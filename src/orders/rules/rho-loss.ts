/**
 * Each batch is those candidates whose loss is highest above what a model that never saw them has: what can still be learned.
 *
 * RHO-LOSS, Mindermann et al. 2022, "Prioritized training on points that are learnable, worth learning, and not yet learnt"
 * (arXiv 2206.07137). Choose it where wrong labels and noise make high losses misleading, and many trainings share one source of
 * irreducible losses. It costs a forward pass of each candidate, as `pool` does, and before that a training on samples apart:
 * the samples are shared out in halves (`dataset: { part: a }` there, `part: b` here), and the source records the losses of
 * all by its final weights (`record: { scoreAll: true }`).
 *
 * The authors claim 18 times fewer steps on Clothing-1M and two points of accuracy, with a source much smaller than the model. Others
 * found that the gain vanishes at equal budget, with schedules that decay within it (Kaddour et al. 2023, arXiv 2307.06440).
 *
 * Reducible loss: loss by the model now less irreducible loss, the mean over the source's runs of other seeds. The paper takes
 * the 32 highest of 320 candidates (factor 10), each a candidate once an epoch, and its source from the epoch of lowest
 * validation loss; here it is the last epoch. Of equal ones those that come first in the shuffle; samples
 * without irreducible loss come last.
 */
import { z } from "zod";
import { topK } from "../../kernels/top-k.js";
import { defineOrder, oneBatch } from "../contract.js";
import { factorOption, PART_OF_SHUFFLE } from "../part-of-shuffle.js";

const options = z.strictObject({ factor: factorOption(10) });
type Options = z.infer<typeof options>;

export default defineOrder<Options>({
  name: "rho-loss",
  summary: "Each batch is the candidates whose loss is highest above that of a model which never saw them.",
  whenToChoose:
    "What can still be learned, and is no noise? Costs a forward pass of each candidate, and a training on the other half. Mindermann et al. 2022 claim 18 times fewer steps; at equal budget others found no gain. The controls are pool, and pool with placebo: true.",
  options,
  ...PART_OF_SHUFFLE,
  readsLedger: true,
  ignoresLedger: () => true,
  deviation: "To leave out what is learned already, or cannot be, is what it is for.",
  scores: () => ({ of: "irreducible", epoch: null }),

  nextBatch({ pool, count, scores }) {
    if (scores === undefined) throw new Error("there are no irreducible losses, expected one a sample");
    const reducible = pool.loss.map((loss, at) => {
      const irreducible = scores[pool.indices[at]];
      return Number.isNaN(irreducible) ? Number.NEGATIVE_INFINITY : loss - irreducible;
    });
    const places = topK(reducible, count, "descending").sort(); // as in the shuffle
    return { indices: places.map((place) => pool.indices[place]), offsets: oneBatch(count) };
  },
});
