/**
 * Trains on the first samples of a fixed sequence, by difficulty or at random, of which more and more are let in.
 *
 * Wu, Dyer and Neyshabur 2021, "When do curricula work?" (arXiv 2012.03107). Choose it where training is short or labels are
 * wrong, the cases in which the authors saw a gain, and always beside `sort: random`: they found that a random sequence with
 * the same growing set did as well, and that with the usual budget nothing was gained. It costs the runs that losses are from
 * (`from`; none for `sort: random`), and a sort each epoch, or for each batch.
 *
 * `sort` says what comes first: samples of low loss (a curriculum), of high loss (an anti-curriculum), or any (pacing only). The
 * loss is that of the training passes in `epoch` of the runs, or their mean over all epochs, over the runs of other seeds.
 * The pacing function g lets in a share of the samples as a function of t, the run's progress: b at the start, all of them
 * from t = a on. With x = t / a it is b + (1 − b) f(x), f being x, x², √x (linear, quadratic, root), (e^10x − 1) / (e^10 − 1) (exp), or
 * 1 + ln(x + e^−10) / 10 (log); step lets in b until t = a. It is rounded down, and at least one sample.
 *
 * As in the paper an epoch holds each of the first g(t) samples once, shuffled, t being what it is before the epoch: epochs grow,
 * and early ones have fewer steps. With `per: batch` an epoch has as many steps as any: each batch is a uniform draw, without
 * replacement, of the first g(t) (or as many as it needs). Chance, by seed, breaks ties; samples of unknown loss come last.
 */
import { z } from "zod";
import { shuffled } from "../../kernels/shuffle.js";
import { cut, defineOrder, type OrderContext, oneBatch } from "../contract.js";
import { ONCE } from "../fraction.js";
import { rankedByScore } from "../ranked-by-score.js";

const options = z
  .strictObject({
    sort: z
      .enum(["easy-first", "hard-first", "random"])
      .default("easy-first")
      .describe(
        "easy-first: from the lowest loss on; hard-first: from the highest; random: pacing only, needs no `from`",
      ),
    epoch: z
      .int()
      .min(0)
      .nullable()
      .default(null)
      .describe("epoch of the runs, from 0, of whose training passes losses are taken; null: the mean over all"),
    pacing: z
      .enum(["linear", "quadratic", "root", "exp", "log", "step"])
      .default("linear")
      .describe("how the share that is let in grows from b to 1"),
    a: z
      .number()
      .positive()
      .default(0.8)
      .describe("share of the run after which all samples are let in; above 1: never in this run"),
    b: z
      .number()
      .gt(0)
      .max(1)
      .default(0.2)
      .describe("share of the samples that is let in at first; above 0, at most 1"),
    per: z
      .enum(["epoch", "batch"])
      .optional()
      .describe(
        "epoch, where left out: an epoch holds each sample that is let in once, so early ones are short; batch: each batch is " +
          "drawn from them, and all epochs are as long",
      ),
  })
  .refine(({ sort, epoch }) => sort !== "random" || epoch === null, {
    path: ["epoch"],
    message: "is for a sort by loss; null for none",
  });
type Options = z.infer<typeof options>;

export default defineOrder({
  name: "curriculum",
  summary: "The first samples by loss in runs recorded earlier, or at random, of which more and more are let in.",
  whenToChoose:
    "Do easy samples help at first, or does the growing set alone (sort: random)? Wu et al. 2021 found that pacing alone did as well, and gains only in short training or with wrong labels.",
  options,
  decidesEachBatch: ({ per }) => per === "batch",
  coverage: ({ per }) => (per === "batch" ? "any" : "at-most-once"),
  readsLedger: false,
  deviation: "To leave samples out at first is what it is for.",
  scores: ({ sort, epoch }) => (sort === "random" ? undefined : { of: "loss", epoch }),
  changesObjective: ({ b }) => b < 1,
  changesEachEpoch: () => true,
  dependsOnSeed: () => true,
  memory: {
    /** The eligible samples in the sequence in which they are let in, where each batch is decided: sorted once a run. */
    sequence: { dtype: "u32", length: (n) => n },
    isSorted: { dtype: "u8", length: () => 1 },
  },

  order(context) {
    const { options, eligible, progress, random, size } = context;
    const count = letIn(options, progress, eligible.length);
    const indices = shuffled(sequence(context).subarray(0, count), random("order"));
    return { indices, offsets: cut(count, size), effectiveDataSize: count };
  },

  nextBatch(context) {
    const { options, eligible, progress, count, random, memory } = context;
    const { sequence: kept, isSorted } = memory;
    if (isSorted[0] === 0) kept.set(sequence(context));
    isSorted[0] = 1;
    const among = Math.max(count, letIn(options, progress, eligible.length));
    const first = Uint32Array.from(kept.subarray(0, among));
    const indices = shuffled(first, random("order")).slice(0, count);
    return { indices, offsets: oneBatch(count), effectiveDataSize: among };
  },
});

/** All eligible samples, in the sequence in which they are let in. */
function sequence(context: OrderContext<Options>): Uint32Array {
  const { sort } = context.options;
  if (sort === "random") return shuffled(context.eligible, context.random("order", ONCE));
  return rankedByScore(context, sort === "easy-first" ? "ascending" : "descending");
}

/** g(t): how many of n samples are let in. */
export function letIn({ pacing, a, b }: Pick<Options, "pacing" | "a" | "b">, progress: number, n: number): number {
  const x = progress / a;
  const share = x >= 1 ? 1 : b + (1 - b) * PACING[pacing](x);
  // What is a whole number but for rounding is taken for it.
  return Math.max(1, Math.floor(Math.min(1, share) * n + 1e-9));
}

/** From 0 at 0 to 1 at 1. */
const PACING: Readonly<Record<Options["pacing"], (x: number) => number>> = {
  linear: (x) => x,
  quadratic: (x) => x ** 2,
  root: Math.sqrt,
  exp: (x) => Math.expm1(10 * x) / Math.expm1(10),
  log: (x) => 1 + Math.log(x + Math.exp(-10)) / 10,
  step: () => 0,
};
