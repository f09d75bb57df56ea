/**
 * Selective backprop: a candidate is trained on with a probability that rises with where its loss stands among the last ones.
 *
 * Jiang et al. 2019, "Accelerating deep learning by focusing on the biggest losers" (arXiv 1910.00762). It pays where a backward
 * pass costs much more than a forward one, and labels are clean. With factor f, and a backward pass as two forward ones, it costs
 * (f + 3) / 3f of training on all candidates, 5/6 with factor 2; in its stale form 1/f, and the scoring passes that are asked for.
 * The authors claim target errors up to 3.5 times as fast as SGD and 1.02 to 1.8 times as fast as `importance`, and 26 % more with
 * stale losses. Kaddour et al. 2023 (arXiv 2307.06440) found that its gains vanish at equal budgets with schedules that decay
 * within them.
 *
 * As in the paper: the losses of the candidates go into a history of the last R (`history`), and a candidate is selected with
 * probability max(floor, percentile^β), its percentile being the share of the history that is lower. No weights make up for
 * it: another objective.
 *
 * Otherwise than in the paper: there candidates come until a batch is full, so that an epoch has as many batches as are
 * selected. Here a batch has its part of the epoch's shuffle, `factor` candidates for each of its samples. They are gone through
 * in sequence until the batch is full; where too few are selected, the rest is drawn from the others, one by one, with
 * probabilities in proportion to theirs. On average 1 / (1 + β) of all are selected: with factor 1 + β as many as the batch holds.
 *
 * `losses: stale` scores nothing and takes the last known losses; samples never seen are selected. With `signal: rescore` and
 * `every: n` that is the paper's StaleSB: a pass over all samples each n-th epoch. It costs a shuffle for every batch. Without
 * passes its second epoch is mostly what the first one left out (0.7 of it with factor 2), which permuted losses do not match:
 * its control is a replay with samples exchanged.
 */
import { z } from "zod";
import type { Random } from "../../kernels/random.js";
import { shuffled } from "../../kernels/shuffle.js";
import { defineOrder, type MaybeScoredContext, type MemoryArray, oneBatch } from "../contract.js";
import { factorOption, PART_OF_SHUFFLE, partOfShuffle } from "../part-of-shuffle.js";

const MOST_HISTORY = 8192;

const options = z.strictObject({
  beta: z
    .number()
    .min(0)
    .default(1)
    .describe("β: how selective it is; on average 1 / (1 + β) of the candidates are selected"),
  floor: z.number().min(0).max(1).default(0).describe("least probability of a candidate, in 0 … 1"),
  history: z
    .int()
    .min(1)
    .max(MOST_HISTORY)
    .default(1024)
    .describe(`R: last losses among which a candidate's loss is placed, 1 … ${MOST_HISTORY}`),
  factor: factorOption(2),
  losses: z
    .enum(["fresh", "stale"])
    .default("fresh")
    .describe("fresh: candidates are scored for each batch; stale: the last known losses, nothing is scored for it"),
});
type Options = z.infer<typeof options>;

/** Candidates in random sequence, and their losses; NaN where never seen. */
interface Candidates {
  readonly indices: Readonly<Uint32Array>;
  readonly loss: Readonly<Float32Array>;
}

export default defineOrder<Options>({
  name: "selective-backprop",
  summary: "Each batch is selected from candidates, by where their losses stand among the last ones.",
  whenToChoose:
    "Is it worth to skip the backward passes of easy samples? Another objective; mind label noise. Costs a forward pass of each candidate: 5/6 of training on all of them with factor 2. Jiang et al. 2019 claim 3.5 times the speed; it vanished at equal budgets (Kaddour et al. 2023).",
  options,
  ...PART_OF_SHUFFLE,
  readsLedger: true,
  ignoresLedger: ({ losses }) => losses === "fresh",
  deviation: "To leave out what is learned already is what it is for.",
  memory: {
    /** The last losses, the oldest overwritten first. */
    losses: { dtype: "f32", length: () => MOST_HISTORY },
    /** How many came, ever. */
    came: { dtype: "f64", length: () => 1 },
  },

  scoresCandidates: ({ losses }) => losses === "fresh",

  nextBatch(context) {
    const { options, memory, count, pool, random } = context;
    const candidates: Candidates = pool ?? staleCandidates(context);
    const history = remembered(memory, candidates.loss, options.history);
    const chances = new Float64Array(candidates.loss).map((loss) => chance(loss, history, options));
    const places = select(chances, count, random("batching"));
    return { indices: Uint32Array.from(places.map((place) => candidates.indices[place])), offsets: oneBatch(count) };
  },
});

/** The batch's part of the epoch's shuffle, with what the ledger has of it. */
function staleCandidates({
  eligible,
  epoch,
  drawn,
  count,
  ledger,
  options,
  random,
}: MaybeScoredContext<Options>): Candidates {
  const shuffle = shuffled(eligible, random("order", epoch));
  const indices = partOfShuffle({ shuffle, first: drawn.indices.length, count }, options.factor);
  return { indices, loss: new Float32Array(indices.length).map((_, at) => ledger.loss[indices[at]]) };
}

/** The last losses, these among them, ascending. */
function remembered(
  { losses, came }: Readonly<Record<string, MemoryArray>>,
  now: Readonly<Float32Array>,
  length: number,
): Float32Array {
  for (const loss of now) {
    if (Number.isNaN(loss)) continue;
    losses[came[0] % length] = loss;
    came[0] += 1;
  }
  return Float32Array.from(losses.subarray(0, Math.min(came[0], length))).sort();
}

function chance(loss: number, history: Readonly<Float32Array>, { beta, floor }: Options): number {
  if (Number.isNaN(loss)) return 1;
  return Math.max(floor, (countBelow(history, loss) / history.length) ** beta);
}

/** How many of these ascending values are lower. */
function countBelow(ascending: Readonly<Float32Array>, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * So many places: in sequence, each with its chance; where these are too few, of the others by their chances in the place of
 * weights, one after another, and those of chance 0 last.
 */
function select(chances: Readonly<Float64Array>, count: number, random: Random): number[] {
  const selected: number[] = [];
  const others: { readonly place: number; readonly key: number }[] = [];
  for (const [place, chance] of chances.entries()) {
    if (selected.length === count) return selected;
    if (random.uniform() < chance) selected.push(place);
    else others.push({ place, key: keyOf(random.uniform(), chance) });
  }
  others.sort((a, b) => (a.key === b.key ? a.place - b.place : a.key - b.key));
  return [...selected, ...others.slice(0, count - selected.length).map(({ place }) => place)];
}

/** Of chance 0 without end, also where the number drawn is 0. */
const keyOf = (drawn: number, chance: number): number =>
  chance === 0 ? Number.POSITIVE_INFINITY : -Math.log1p(-drawn) / chance;
