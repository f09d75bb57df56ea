/**
 * Each batch is the samples with the highest, or the lowest, loss of all.
 *
 * Choose it to ask what greedy choice is worth, and with its control `cover`, which keeps the greed and takes away the
 * repetition. The 2019 study's authors tried it as max_k and min_k; there, a drawn entry was set to 0, so that min_k
 * drew the same sample k times. Kawaguchi and Lu (2020, "Ordered SGD") take the highest of a random pool instead. It costs
 * a shuffle and a pass for every batch. Highest first gathers mislabelled samples; lowest first draws the same few for ever
 * unless it covers, which the monitors show.
 *
 * The losses are those of the steps before (`lag`). Samples never seen come first, in random sequence. Those of batches that
 * are still to be learned of come last: by their old losses each batch would be trained on again, lag times. Chance breaks
 * ties. With `cover` a batch is of those that the epoch has not drawn yet: each comes once. It needs no weights, and none
 * would make up for what is never drawn: without `cover`, or with a part, the objective is another one.
 */
import { z } from "zod";
import { shuffled } from "../../kernels/shuffle.js";
import { topK } from "../../kernels/top-k.js";
import { defineOrder, oneBatch } from "../contract.js";
import { fractionOption } from "../fraction.js";
import { notDrawn } from "../not-drawn.js";
import { declaredFor, SIGNALS, signalOf } from "../signal.js";

const options = z.strictObject({
  by: z.enum(SIGNALS).default("loss").describe("what is compared; loss: the last one; mean-loss: the exponential mean"),
  take: z
    .enum(["highest", "lowest"])
    .default("highest")
    .describe("the samples of a batch: those with the highest or lowest"),
  cover: z
    .boolean()
    .default(false)
    .describe("whether an epoch draws each sample once before any comes twice: a batch is of those not drawn yet"),
  fraction: fractionOption,
});

export default defineOrder({
  name: "top-loss",
  summary: "Each batch is the samples with the highest, or lowest, loss of all.",
  whenToChoose:
    "What is greed worth: max_k and min_k of the 2019 study, with repetition or (`cover`) without? Mind label noise, and collapse onto few samples. Costs a shuffle and a pass for every batch.",
  options,
  coverage: ({ cover, fraction }) => {
    if (!cover) return "any";
    return fraction === 1 ? "each-once" : "at-most-once";
  },
  epochShare: ({ fraction }) => fraction,
  readsLedger: true,
  unknownProbabilities: true,
  deviation: "To train on some samples more often than on others is what it is for.",
  signals: ({ by }) => declaredFor(by),
  changesObjective: ({ cover, fraction }) => !cover || fraction < 1,
  changesEachEpoch: () => true,
  dependsOnSeed: () => true,

  nextBatch({ options, eligible, ledger, drawn, count, random }) {
    const candidates = shuffled(options.cover ? notDrawn(eligible, drawn) : eligible, random("order"));
    const isHighest = options.take === "highest";
    const first = isHighest ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    const keys = signalOf(ledger, options.by, candidates).slice();
    const pending = new Set(drawn.pending);
    for (let i = 0; i < keys.length; i++) {
      if (pending.has(candidates[i])) keys[i] = -first;
      else if (Number.isNaN(keys[i])) keys[i] = first;
    }
    const places = topK(keys, count, isHighest ? "descending" : "ascending");
    return { indices: places.map((place) => candidates[place]), offsets: oneBatch(count) };
  },
});
