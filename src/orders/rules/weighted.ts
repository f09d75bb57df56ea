/**
 * Weighted random sampling without replacement, over the epoch or anew for every batch.
 *
 * Choose it to see hard samples earlier (`fraction: 1`, each sample once, only the sequence changes) or more often
 * (`fraction` below 1), or to let each batch be drawn by the newest losses (`per: batch`). It is Algorithm D of Efraimidis and
 * Spirakis (2006): one sample after another with probability in proportion to its weight among those left. It costs a pass of
 * keys and a sort. Announced in the 2019 study.
 *
 * Weights: `loss` is loss^power, `rank` is rank^−alpha with rank 1 for the highest value (chance breaks ties). They
 * are float32, relative to the largest. None falls below `floor` times the mean over the samples seen, so a loss of 0
 * leaves a chance to be drawn; with `floor: 0` such a sample never is, and to ask for more samples than have a weight
 * above 0 is an error. A loss that is infinite counts as the largest finite one. A negative value, a loss of 0 with a
 * negative power, and a power that overflows are errors. The margin is left out: it can be negative, and high is easy.
 *
 * Below 1 a part is trained on, another objective, unless `unbiased: true` sends weights: with the threshold τ, the
 * smallest key not drawn, sample i was drawn with chance q = 1 − exp(−w·τ), given the others' keys (rank
 * conditioning, Cohen and Kaplan 2007), and its weight is m / (n·q) for m of n
 * samples. The mean over the m is then an unbiased estimate of that over the n. No cap by default, for one that bites
 * makes it biased; `floor` bounds the weights, at about 6 with fraction 0.5 and the default (with 0.001 they reach
 * hundreds, and a single step with such a weight can undo the training).
 *
 * Before any value is known, as in the first epoch, and with `weights: uniform`, it is `random-subset` with the same
 * fraction, to the bit: q = m / n, every weight 1. In the sequence of drawing the first batches would hold the heavy
 * samples and be biased though the whole is not, so a part is shuffled, unless `sequence: drawn`.
 *
 * `per: batch` draws each batch from all samples, by the losses of the steps before it, as the authors of the 2019 study
 * meant it. A sample comes any number of times in an epoch: another objective, unless `unbiased` sends weights, with m
 * the batch's size; each batch's gradient is then an unbiased estimate of that of all samples. It costs a pass of keys a
 * batch. Losses are there from the first batches on, and samples never seen count as the highest, so that not even the first
 * epoch is a shuffle. With `cover` a batch is drawn from what the epoch has not drawn yet: each sample comes once.
 */
import { z } from "zod";
import type { Random } from "../../kernels/random.js";
import { shuffle } from "../../kernels/shuffle.js";
import { weightedSample } from "../../kernels/weighted-sample.js";
import { cut, defineOrder, type OrderContext, type OrderResult, oneBatch } from "../contract.js";
import { effectiveSize } from "../effective-size.js";
import { fractionOption, sampleSize, uniformSample } from "../fraction.js";
import { notDrawn } from "../not-drawn.js";
import { sampleWeights } from "../sample-weights.js";
import { declaredFor, isAnyKnown, signalOf } from "../signal.js";

const options = z
  .strictObject({
    weights: z
      .enum(["loss", "rank", "uniform"])
      .default("loss")
      .describe("loss: loss^power; rank: rank^-alpha, rank 1 for the highest; uniform: all alike"),
    by: z
      .enum(["loss", "mean-loss", "entropy", "el2n"])
      .default("loss")
      .describe("what weights and ranks are made of; loss: the last one; mean-loss: the exponential mean"),
    power: z.number().default(1).describe("of the loss, with weights: loss; 0: all alike; below 0: easy samples first"),
    alpha: z
      .number()
      .min(0)
      .default(1)
      .describe("how fast weights fall with the rank, with weights: rank; 0: not at all"),
    floor: z
      .number()
      .min(0)
      .max(1)
      .default(0.1)
      .describe(
        "share of the mean weight below which none falls, in 0 … 1; also bounds the weights of unbiased: true; 0: a weight of 0 is never drawn",
      ),
    unseen: z
      .enum(["highest", "mean"])
      .default("highest")
      .describe("weight of samples never seen: the highest or the mean one of those that were"),
    per: z
      .enum(["epoch", "batch"])
      .optional()
      .describe(
        "epoch, where left out: one draw for an epoch; batch: a fresh draw for each batch, by the newest losses",
      ),
    cover: z
      .boolean()
      .optional()
      .describe(
        "with per: batch, whether an epoch draws each sample once before any comes twice; false where left out",
      ),
    fraction: fractionOption,
    sequence: z
      .enum(["auto", "shuffled", "drawn"])
      .default("auto")
      .describe("of the samples drawn; auto: drawn with fraction 1, else shuffled, for the heavy ones are drawn first"),
    unbiased: z
      .boolean()
      .default(false)
      .describe(
        "send weights that make up for what is drawn too often, by rank conditioning; all 1 where each sample comes once",
      ),
    cap: z
      .number()
      .positive()
      .nullable()
      .default(null)
      .describe("largest weight, with unbiased: true; one that bites makes them biased; null: none"),
    normalise: z
      .boolean()
      .default(false)
      .describe(
        "scale the weights of an epoch to mean 1, after the cap: biased by an amount that falls as 1/m, of less variance; " +
          "with per: batch those of each batch, which with few samples in it is another objective",
      ),
  })
  .refine(({ fraction, sequence }) => !(fraction === 1 && sequence === "shuffled"), {
    path: ["sequence"],
    message: "shuffled with fraction 1 is order shuffled: every sample, in random sequence",
  })
  .refine(({ per, cover }) => per === "batch" || cover !== true, {
    path: ["cover"],
    message: "is for per: batch; an epoch that is drawn at once has no sample twice",
  })
  .refine(({ cover, unbiased }) => !(cover && unbiased), {
    path: ["unbiased"],
    message: "is not for cover: each sample comes once, and weights for those left would favour the late ones",
  })
  .refine(({ per, sequence }) => per !== "batch" || sequence === "auto", {
    path: ["sequence"],
    message: "is for per: epoch; within a batch there is none",
  });
type Options = z.infer<typeof options>;

export default defineOrder({
  name: "weighted",
  summary: "Weighted random sampling without replacement, by loss or rank: all samples, a part, or each batch anew.",
  whenToChoose:
    "What is it worth to see hard samples earlier, or more often? A part, and each batch anew, are another objective, unless unbiased. The first epoch is a shuffle, unless each batch is drawn anew. Costs keys and a sort, for each batch where each is drawn anew. Algorithm D (Efraimidis and Spirakis 2006).",
  options,
  decidesEachBatch: ({ per }) => per === "batch",
  coverage: ({ fraction, ...options }) => {
    if (repeats(options)) return "any";
    return fraction === 1 ? "each-once" : "at-most-once";
  },
  epochShare: ({ fraction }) => fraction,
  readsLedger: true,
  deviation:
    "To train on a part, with `fraction`, or on some samples more often, with `per: batch`, is what it is for.",
  signals: ({ weights, by }) => (weights === "uniform" ? [] : declaredFor(by)),
  changesObjective: ({ fraction, unbiased, cap, normalise, ...options }) => {
    if (areAllAlike(options) || (fraction === 1 && !repeats(options))) return false;
    return !unbiased || cap !== null || (repeats(options) && normalise);
  },
  changesEachEpoch: () => true,
  dependsOnSeed: () => true,

  order(context) {
    const { options, eligible } = context;
    const { fraction, sequence } = options;
    const m = sampleSize(fraction, eligible.length);
    const isShuffled = sequence === "shuffled" || (sequence === "auto" && fraction < 1);
    const { drawnBy, ...drawn } = draw(context, eligible, { m, isShuffled });
    return { ...drawn, offsets: cut(m, context.size), ...(drawnBy && { probabilities: shares(drawnBy) }) };
  },

  nextBatch(context) {
    const { options, eligible, count: m } = context;
    const isCovering = options.cover === true;
    const candidates = isCovering ? notDrawn(eligible, context.drawn) : eligible;
    const { drawnBy, inclusion, ...drawn } = draw(context, candidates, { m, isShuffled: false });
    const share = drawnBy === undefined ? 1 : effectiveSize(drawnBy) / candidates.length;
    return {
      ...drawn,
      offsets: oneBatch(m),
      ...(!isCovering && { inclusion }), // of those that are left it says nothing of all
      effectiveDataSize: share * eligible.length,
    };
  },
});

/** Whether an epoch may hold a sample more than once. */
const repeats = ({ per, cover }: Pick<Options, "per" | "cover">): boolean => per === "batch" && cover !== true;

interface Draw {
  /** Samples to draw. */
  readonly m: number;
  /** Whether they are put into a random sequence, in the place of that of drawing. */
  readonly isShuffled: boolean;
}

interface Drawing {
  readonly indices: Uint32Array;
  readonly inclusion: Float64Array;
  /** The weight of each candidate; undefined where all are alike. */
  readonly drawnBy?: Float32Array;
}

/** Draws some of the candidates, with weights for the gradient where these are wanted. */
function draw(
  { options, ledger, random: stream }: Pick<OrderContext<Options>, "options" | "ledger" | "random">,
  candidates: Readonly<Uint32Array>,
  wanted: Draw,
): Drawing & Pick<OrderResult, "weights"> {
  const random = stream("order");
  const values = options.weights === "uniform" ? undefined : signalOf(ledger, options.by, candidates);
  const drawing: Drawing =
    values === undefined || !isAnyKnown(values)
      ? uniformSample(candidates, wanted.m, random)
      : weightedDraw(candidates, values, { ...options, ...wanted }, random);
  if (!options.unbiased) return drawing;
  return { ...drawing, weights: unbiasedWeights(drawing.inclusion, candidates.length, options) };
}

/** Whether every sample is as likely as any other, whatever is known of them. */
function areAllAlike({ weights, power, alpha }: Pick<Options, "weights" | "power" | "alpha">): boolean {
  return weights === "uniform" || (weights === "loss" ? power : alpha) === 0;
}

function weightedDraw(
  candidates: Readonly<Uint32Array>,
  values: Readonly<Float32Array>,
  { m, isShuffled, ...options }: Options & Draw,
  random: Random,
): Drawing {
  // `uniform` never comes here.
  const weights = options.weights === "rank" ? "rank" : "loss";
  const drawnBy = sampleWeights(values, candidates, { ...options, weights }, random);
  checkPositive(drawnBy, candidates, m, options.unbiased && m < candidates.length);

  const { indices: places, threshold } = weightedSample(drawnBy, m, random);
  if (isShuffled) shuffle(places, random);
  const inclusion = new Float64Array(m);
  for (let i = 0; i < m; i++) inclusion[i] = -Math.expm1(-drawnBy[places[i]] * threshold);
  return { indices: places.map((place) => candidates[place]), inclusion, drawnBy };
}

/** Enough samples can be drawn; and all of them, where what is drawn is to speak for all. */
function checkPositive(
  weights: Readonly<Float32Array>,
  eligible: Readonly<Uint32Array>,
  m: number,
  needsAll: boolean,
): void {
  let positive = 0;
  for (let i = 0; i < weights.length; i++) if (weights[i] > 0) positive++;
  if (positive < m) {
    throw new Error(`${positive} samples have a weight above 0, expected at least the ${m} to draw; raise floor`);
  }
  if (!needsAll || positive === weights.length) return;
  const never = eligible[weights.indexOf(0)];
  throw new Error(`sample ${never} has weight 0 and is never drawn, which no weights make up for; raise floor`);
}

/** Weights as shares of their sum. */
function shares(weights: Readonly<Float32Array>): Float64Array {
  let total = 0;
  for (const weight of weights) total += weight;
  return new Float64Array(weights).map((weight) => weight / total);
}

/** m / (n·q) for each of the m drawn of n samples, capped, then scaled to mean 1 where wanted. */
function unbiasedWeights(inclusion: Readonly<Float64Array>, n: number, { cap, normalise }: Options): Float32Array {
  const m = inclusion.length;
  const weights = new Float64Array(m);
  let sum = 0;
  for (let i = 0; i < m; i++) {
    weights[i] = Math.min(cap ?? Number.POSITIVE_INFINITY, m / (n * inclusion[i]));
    sum += weights[i];
  }
  return normalise ? new Float32Array(weights.map((weight) => (weight * m) / sum)) : new Float32Array(weights);
}
