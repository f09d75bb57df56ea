/**
 * Each batch is drawn by rank of loss: the higher a sample's last known loss, the likelier, by a factor that eases off.
 *
 * Loshchilov and Hutter 2015, "Online batch selection for faster training of neural networks" (arXiv 1511.06343). Choose it
 * where training is long and losses differ much, and losses are to count by rank alone: no outlier can take over. It costs a
 * shuffle and a sort for every batch, or for every `tSort`-th, and passes where losses are rescored. The authors claim
 * AdaDelta and Adam on MNIST about 5 times as fast. No replication is known to us. Kaddour et al. 2023 (arXiv 2307.06440)
 * found that the gains of two methods that choose samples (selective backprop, RHO-loss) vanish at equal budget with schedules
 * fully decayed; this one was not among them.
 *
 * Of N samples the one of rank i (1: the highest loss) is drawn with p_i ∝ 1 / exp(log(s_e) / N)^i, so that the first is s_e
 * times as likely as one behind the last; the batch's samples are drawn one by one, with replacement, as in the paper. The
 * selection pressure goes from `se0` to `seEnd` exponentially: s_e = se0 · (seEnd / se0)^progress, where the paper has a step
 * each epoch. Samples never seen come first, in random sequence, each once: the first epoch is a shuffle, as in the paper.
 * Chance breaks ties. It changes the objective, and has no weights to make up for it.
 *
 * The paper's re-evaluation of r_ratio · N samples r_freq times an epoch is `signal: rescore` with `every`, of which it can be
 * said: r_ratio is 1, r_freq is 1 / `every`, and losses of training passes do not count beside it. Other values of the two
 * cannot be.
 */
import { z } from "zod";
import { argsort } from "../../kernels/argsort.js";
import type { Random } from "../../kernels/random.js";
import { shuffled } from "../../kernels/shuffle.js";
import { type BatchContext, type Drawn, defineOrder, type LedgerView, oneBatch } from "../contract.js";
import { signalOf } from "../signal.js";

const options = z.strictObject({
  se0: z
    .number()
    .min(1)
    .default(100)
    .describe("selection pressure s_e at the run's start: the highest loss is so many times as likely as the lowest"),
  seEnd: z.number().min(1).default(1).describe("selection pressure at the run's end; 1: all samples are as likely"),
  tSort: z
    .int()
    .min(1)
    .default(1)
    .describe("T_s: batches between two sorts by the last known losses; between them ranks stay as they are"),
});
type Options = z.infer<typeof options>;

export default defineOrder({
  name: "loshchilov-hutter",
  summary: "Each batch drawn by rank of loss, with a selection pressure that eases off over the run.",
  whenToChoose:
    "Is it worth to see hard samples more often, early more than late? Another objective; mind label noise. Costs a shuffle and a sort for every batch. Loshchilov and Hutter 2015 claim 5 times the speed on MNIST; no replication is known to us.",
  options,
  coverage: () => "any",
  epochShare: () => 1,
  readsLedger: true,
  deviation: "To see samples of high loss more often is what it is for.",
  changesObjective: ({ se0, seEnd }) => Math.max(se0, seEnd) > 1,
  changesEachEpoch: () => true,
  dependsOnSeed: () => true,
  memory: {
    /** Samples by their ranks at the last sort; kept where not every batch sorts. */
    sorted: { dtype: "u32", length: (n) => n },
    /** Batches drawn by it; 0: there was no sort yet. */
    drawnBySort: { dtype: "u32", length: () => 1 },
  },

  nextBatch(context) {
    const { options, eligible, ledger, drawn, count, progress } = context;
    const numbers = context.random("order");
    const fresh = neverSeen(eligible, ledger, drawn);
    if (fresh.length >= count) return { indices: shuffled(fresh, numbers).slice(0, count), offsets: oneBatch(count) };

    const sampleOf = ranked(context, numbers);
    const pressure = selectionPressure(options, progress);
    const indices = new Uint32Array(count);
    indices.set(shuffled(fresh, numbers));
    for (let i = fresh.length; i < count; i++) {
      indices[i] = sampleOf(drawRank(numbers.uniform(), pressure, eligible.length));
    }
    return { indices, offsets: oneBatch(count), effectiveDataSize: effectiveRanks(pressure, eligible.length) };
  },
});

/** s_e, where this share of the run is over. */
export function selectionPressure({ se0, seEnd }: Pick<Options, "se0" | "seEnd">, progress: number): number {
  return se0 * (seEnd / se0) ** progress;
}

/** The rank, 1 … n, at which the cumulated probability first exceeds u, in [0, 1). */
export function drawRank(u: number, pressure: number, n: number): number {
  // p_i is a geometric series, so its sum has an inverse.
  const place = pressure === 1 ? u * n : (-Math.log1p(-u * (1 - 1 / pressure)) / Math.log(pressure)) * n;
  return Math.min(n, 1 + Math.floor(place));
}

/** 1 / Σp², of the same series. */
export function effectiveRanks(pressure: number, n: number): number {
  const half = Math.log(pressure) / 2;
  return pressure === 1 ? n : Math.tanh(half) / Math.tanh(half / n);
}

/** Samples without a loss that the epoch has not drawn yet. */
function neverSeen(
  eligible: Readonly<Uint32Array>,
  { loss }: Pick<LedgerView, "loss">,
  { times }: Drawn,
): Readonly<Uint32Array> {
  const isFresh = (index: number) => Number.isNaN(loss[index]) && times[index] === 0;
  for (let i = 0; i < eligible.length; i++) if (isFresh(eligible[i])) return eligible.filter(isFresh);
  return new Uint32Array(); // after the first epoch, in a tenth of the time
}

/** The sample of each rank, 1 … N, from the highest loss to the lowest at the last sort that was due; last those without a loss. */
function ranked(
  { options: { tSort }, eligible, ledger, memory }: BatchContext<Options>,
  numbers: Random,
): (rank: number) => number {
  const { sorted, drawnBySort } = memory;
  const isDue = tSort === 1 || drawnBySort[0] === 0 || drawnBySort[0] >= tSort;
  if (!isDue) {
    drawnBySort[0] += 1;
    return (rank) => sorted[rank - 1];
  }
  const mixed = shuffled(eligible, numbers);
  const places = argsort(signalOf(ledger, "loss", mixed), "descending");
  if (tSort > 1) {
    for (let i = 0; i < places.length; i++) sorted[i] = mixed[places[i]];
    drawnBySort[0] = 1;
  }
  return (rank) => mixed[places[rank - 1]];
}
