/**
 * Weighted random sampling without replacement over the epoch.
 *
 * Choose it to see hard samples earlier (`fraction: 1`, each sample once, only the sequence changes) or more often
 * (`fraction` below 1). It is Algorithm D of Efraimidis and Spirakis (2006): one sample after another with
 * probability in proportion to its weight among those left. It costs a pass of keys and a sort. Announced in the
 * 2019 study.
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
 */
import { z } from "zod";
import type { Random } from "../../kernels/random.js";
import { shuffle } from "../../kernels/shuffle.js";
import { weightedSample } from "../../kernels/weighted-sample.js";
import { cut, defineOrder, type OrderResult } from "../contract.js";
import { fractionOption, sampleSize, uniformSample } from "../fraction.js";
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
    fraction: fractionOption,
    sequence: z
      .enum(["auto", "shuffled", "drawn"])
      .default("auto")
      .describe("of the samples drawn; auto: drawn with fraction 1, else shuffled, for the heavy ones are drawn first"),
    unbiased: z
      .boolean()
      .default(false)
      .describe("send weights that make up for what is drawn too often, by rank conditioning; all 1 with fraction 1"),
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
        "scale the weights of an epoch to mean 1, after the cap: biased by an amount that falls as 1/m, of less variance",
      ),
  })
  .refine(({ fraction, sequence }) => !(fraction === 1 && sequence === "shuffled"), {
    path: ["sequence"],
    message: "shuffled with fraction 1 is order shuffled: every sample, in random sequence",
  });
type Options = z.infer<typeof options>;

export default defineOrder({
  name: "weighted",
  summary: "Weighted random sampling without replacement, by loss or rank: all samples or a part.",
  whenToChoose:
    "What is it worth to see hard samples earlier, or more often? A part is another objective, unless unbiased. The first epoch is a shuffle. Costs keys and a sort. Algorithm D (Efraimidis and Spirakis 2006).",
  options,
  coverage: ({ fraction }) => (fraction === 1 ? "each-once" : "at-most-once"),
  epochShare: ({ fraction }) => fraction,
  readsLedger: true,
  deviation: "To train on a part, with `fraction`, is what it is for.",
  signals: ({ weights, by }) => (weights === "uniform" ? [] : declaredFor(by)),
  changesObjective: ({ fraction, unbiased, cap, ...options }) =>
    fraction < 1 && !areAllAlike(options) && !(unbiased && cap === null),
  changesEachEpoch: () => true,
  dependsOnSeed: () => true,

  order(context) {
    const { options, eligible, ledger } = context;
    const random = context.random("order");
    const values = options.weights === "uniform" ? undefined : signalOf(ledger, options.by, eligible);
    const drawn =
      values === undefined || !isAnyKnown(values)
        ? uniformSample(eligible, options.fraction, random)
        : weightedDraw(eligible, values, options, random);
    return {
      ...drawn,
      offsets: cut(drawn.indices.length, context.size),
      ...(options.unbiased && { weights: unbiasedWeights(drawn.inclusion, eligible.length, options) }),
    };
  },
});

/** Whether every sample is as likely as any other, whatever is known of them. */
function areAllAlike({ weights, power, alpha }: Pick<Options, "weights" | "power" | "alpha">): boolean {
  return weights === "uniform" || (weights === "loss" ? power : alpha) === 0;
}

type Drawn = Pick<OrderResult, "indices" | "probabilities"> & { readonly inclusion: Float64Array };

function weightedDraw(
  eligible: Readonly<Uint32Array>,
  values: Readonly<Float32Array>,
  options: Options,
  random: Random,
): Drawn {
  const { weights: rule, fraction, sequence, unbiased } = options;
  // `uniform` never comes here.
  const weights = sampleWeights(values, eligible, { ...options, weights: rule === "rank" ? "rank" : "loss" }, random);
  const m = sampleSize(fraction, eligible.length);
  checkPositive(weights, eligible, m, unbiased && fraction < 1);

  const { indices: places, threshold } = weightedSample(weights, m, random);
  if (sequence === "shuffled" || (sequence === "auto" && fraction < 1)) shuffle(places, random);
  const inclusion = new Float64Array(m);
  for (let i = 0; i < m; i++) inclusion[i] = -Math.expm1(-weights[places[i]] * threshold);
  return { indices: places.map((place) => eligible[place]), inclusion, probabilities: shares(weights) };
}

/** Enough samples can be drawn; and all of them, where what is drawn is to speak for all. */
function checkPositive(
  weights: Readonly<Float32Array>,
  eligible: Readonly<Uint32Array>,
  m: number,
  needsAll: boolean,
): void {
  let positive = 0;
  for (const weight of weights) if (weight > 0) positive++;
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
