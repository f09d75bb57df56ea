/**
 * Each batch is the best of a random pool of candidates, by the losses that they have now.
 *
 * Source: ordered SGD (Kawaguchi and Lu 2020, arXiv 1907.04371: the q samples of a mini-batch of s with the highest losses),
 * airbench96's filter (KellerJordan/cifar10-airbench: the harder half of 1,024 by a small network), and, of all samples
 * with older losses, Loshchilov and Hutter 2015 (arXiv 1511.06343).
 * It pays where a backward pass costs much more than a forward one, and labels are clean: highest losses gather wrong labels.
 * It costs a forward pass of each candidate: with factor f, and a backward pass as two forward ones, (f + 3) / 3f of training
 * on all candidates: 5/6 with factor 2, 7/12 with 4. With lag 1 or more the backend scores while the choice is made.
 * Its authors report lower test errors than SGD in most of their settings; airbench96's author 96.00 % in 27.3 s against
 * 96.03 % in 34.7 s, scored by a small network. Others found that such gains vanish at equal budgets with schedules
 * that decay within them (Kaddour et al. 2023, arXiv 2307.06440, of selective backprop and RHO-loss).
 *
 * The pools of an epoch are consecutive parts of one shuffle, so that each sample is a candidate once an epoch, and the
 * epoch holds 1/factor of them. With factor 1 it is order shuffled. The control is the same with `placebo: true`: scores
 * permuted among the candidates choose by chance, at equal cost.
 */
import { z } from "zod";
import { topK } from "../../kernels/top-k.js";
import { defineOrder, EXTRA_SIGNALS, oneBatch } from "../contract.js";
import { factorOption, PART_OF_SHUFFLE } from "../part-of-shuffle.js";
import { declaredFor } from "../signal.js";

const options = z.strictObject({
  factor: factorOption(2),
  by: z
    .enum(["loss", ...EXTRA_SIGNALS])
    .default("loss")
    .describe("what candidates are compared by, as scored for the batch"),
  take: z
    .enum(["highest", "lowest"])
    .default("highest")
    .describe("the candidates that are trained on: those with the highest or lowest"),
});
type Options = z.infer<typeof options>;

export default defineOrder<Options>({
  name: "pool",
  summary: "Each batch is the best of a random pool of candidates, which are scored for it.",
  whenToChoose:
    "What is it worth to train on the harder half of what is looked at? Mind label noise. Costs a forward pass of each candidate: 5/6 of training on all of them with factor 2. Ordered SGD (Kawaguchi and Lu 2020). The control is placebo: true.",
  options,
  ...PART_OF_SHUFFLE,
  readsLedger: true,
  ignoresLedger: () => true,
  deviation: "To leave out what is learned already is what it is for.",
  signals: ({ by }) => declaredFor(by),

  nextBatch({ options, pool, count }) {
    const values = pool[options.by];
    if (values === undefined) throw new Error(`the pool has no ${options.by}, expected one value a candidate`);
    // Candidates are in random sequence: chance breaks ties.
    const places = topK(values, count, options.take === "highest" ? "descending" : "ascending");
    return { indices: places.map((place) => pool.indices[place]), offsets: oneBatch(count) };
  },
});
