import type { z } from "zod";
import type { Random } from "../kernels/random.js";

/** Read-only view of what is known of each sample; filled by the controller after every chunk. */
export interface LedgerView {
  /** Last loss of each sample, raw (never weighted), NaN where it was never seen; length n. */
  readonly loss: Readonly<Float32Array>;
  /** Exponential mean of a sample's losses, the first one its start; NaN where it was never seen; length n. */
  readonly meanLoss: Readonly<Float32Array>;
  /** Step at which that loss was seen, -1 where it never was; length n. */
  readonly seenAtStep: Readonly<Int32Array>;
  /** Whether the sample was classified right when last seen: 1, 0, or 255 where never seen; length n. */
  readonly correct: Readonly<Uint8Array>;
  /** How often each sample was drawn for training; length n. */
  readonly draws: Readonly<Uint32Array>;
  /** The signals that the order declares; length n, NaN where never seen. Undefined where it does not declare them. */
  readonly margin?: Readonly<Float32Array> | undefined;
  readonly entropy?: Readonly<Float32Array> | undefined;
  readonly el2n?: Readonly<Float32Array> | undefined;
}

/**
 * Signals beside loss and correct, which every order has. `margin`: logit of the class less the largest other logit
 * (Pleiss et al. 2020); `entropy`: of the softmax, in nats; `el2n`: norm of softmax minus one-hot (Paul et al. 2021).
 */
export const EXTRA_SIGNALS = ["margin", "entropy", "el2n"] as const;
export type ExtraSignal = (typeof EXTRA_SIGNALS)[number];

/** What is made of runs recorded earlier: one value a sample. */
export interface WantedScores {
  /**
   * A signal; or `forgetting`: how often a sample went from right to wrong between two of its visits, and as many as there
   * were epochs where it was never right (Toneva et al. 2019); or `irreducible`: the loss by final weights that were trained
   * on samples apart from those that are trained on here (Mindermann et al. 2022).
   */
  readonly of: ScoreKind;
  /** From 0; null: the mean over all epochs. Of `forgetting`, which is of all of them, and of `irreducible` null. */
  readonly epoch: number | null;
}
export const SCORE_KINDS = ["loss", ...EXTRA_SIGNALS, "forgetting", "irreducible"] as const;
export type ScoreKind = (typeof SCORE_KINDS)[number];

/** A typed array that the controller allocates, passes and (later) checkpoints for an order. */
export type MemoryArray = Uint8Array | Uint32Array | Int32Array | Float32Array | Float64Array;
export const MEMORY_DTYPES = ["u8", "u32", "i32", "f32", "f64"] as const;
export type MemoryDtype = (typeof MEMORY_DTYPES)[number];

/** Declared by an order: name → dtype and length as a function of n. */
export type MemoryDeclaration = Readonly<Record<string, { dtype: MemoryDtype; length: (n: number) => number }>>;

/** All that an order may look at. Nothing else: no clock, no global generator, no closure state. */
export interface OrderContext<Options> {
  readonly options: Options;
  /** Number of samples in the training part of the dataset; indices are 0 … n-1. */
  readonly n: number;
  /** Number of classes; labels are 0 … classCount-1. */
  readonly classCount: number;
  /** Indices that may be drawn, ascending (subset less validation). Must not be changed. */
  readonly eligible: Readonly<Uint32Array>;
  /** Class of every sample of the dataset, length n (not only of the eligible ones). Must not be changed. */
  readonly labels: Readonly<Uint32Array>;
  readonly ledger: LedgerView;
  /**
   * What the order wants of runs recorded earlier, never of this run's seed: length n, NaN where unknown. Must not be changed.
   * Undefined where it wants nothing.
   */
  readonly scores: Readonly<Float32Array> | undefined;
  /** Epoch, from 0. */
  readonly epoch: number;
  /** Optimiser steps taken before this epoch. */
  readonly step: number;
  /**
   * Share of the run's samples that were trained on before this epoch, in [0, 1): epoch / epochs, as schedules and batching
   * rules count it. Of a run with a budget of another kind than epochs: the share of that which is spent.
   */
  readonly progress: number;
  /**
   * Random numbers of a stream: a function of (seed, stream, epoch), so asking twice gives the same numbers.
   * `at` replaces the epoch, for what must not change from epoch to epoch.
   */
  random(stream: OrderStream, at?: number): Random;
  readonly memory: Readonly<Record<string, MemoryArray>>;
  /** Size of the b-th batch of this epoch, at least 1: the batching rule's word. */
  size(batch: number): number;
}

/** What an order that decides each batch is told before every one of them. */
export interface BatchContext<Options> extends OrderContext<Options> {
  /** Optimiser steps taken before this batch. The ledger is as it was after step − lag of them. */
  readonly step: number;
  /** As for an epoch, before this batch: (epoch + share of the epoch's samples that is drawn) / epochs. */
  readonly progress: number;
  /** Number of the batch in its epoch, from 0. */
  readonly batch: number;
  /** Samples that the batch is to hold: the batching rule's size, or what is left of the epoch. */
  readonly count: number;
  readonly drawn: Drawn;
  /** As for an epoch, with the batch's step in the place of the epoch: each batch has numbers of its own. */
  random(stream: OrderStream, at?: number): Random;
}

/** What an order is told that names the candidates of a batch: a place, and nothing of what was trained before it. */
export interface PoolContext<Options> extends Omit<OrderContext<Options>, "ledger" | "memory"> {
  /** Optimiser steps taken before the batch. */
  readonly step: number;
  /** Number of the batch in its epoch, from 0. */
  readonly batch: number;
  /** Samples that the batch is to hold: so many candidates are the fewest. */
  readonly count: number;
  /** Samples of the epoch's batches before it. */
  readonly first: number;
  /** The eligible samples in a random sequence, one for an epoch: that of order shuffled. Must not be changed. */
  readonly shuffle: Readonly<Uint32Array>;
  /** As for a batch; other numbers than that has. */
  random(stream: OrderStream, at?: number): Random;
}

/** The candidates of a batch, and what a scoring pass gave of each, in one sequence. Must not be changed. */
export type Pool = {
  readonly indices: Readonly<Uint32Array>;
  readonly loss: Readonly<Float32Array>;
  /** 1 or 0. */
  readonly correct: Readonly<Uint8Array>;
  /** The class that was predicted. */
  readonly prediction: Readonly<Uint32Array>;
} & {
  /** Those that the order declares. */
  readonly [signal in ExtraSignal]?: Readonly<Float32Array> | undefined;
};

/** What an order is told that chooses from scored candidates: they were scored after step − lag steps. */
export interface ScoredContext<Options> extends BatchContext<Options> {
  readonly pool: Pool;
}

/** As it is where the options say whether candidates are scored. */
export interface MaybeScoredContext<Options> extends BatchContext<Options> {
  readonly pool?: Pool | undefined;
}

/** What an epoch has drawn so far; batches that are not trained on yet are among it. */
export interface Drawn {
  /** In the sequence of drawing. */
  readonly indices: Readonly<Uint32Array>;
  /** How often each sample was drawn; length n. */
  readonly times: Readonly<Uint32Array>;
  /** Of the indices, those of the last batches: the ledger does not have what training on them gave yet. */
  readonly pending: Readonly<Uint32Array>;
}

/** The streams an order may draw from; the full list of streams is in kernels/random.ts. */
export type OrderStream = "order" | "batching";

/** What an epoch (or a batch) trains on. */
export interface OrderResult {
  /**
   * Sample indices in the order of training. In a Uint32Array an index that is NaN or undefined becomes 0: coverage
   * "each-once" finds that out, with the others it can pass for sample 0.
   */
  readonly indices: Uint32Array;
  /** Batch b is indices[offsets[b] … offsets[b+1]-1]; offsets[0] = 0, the last one is indices.length. */
  readonly offsets: Uint32Array;
  /** Weight of each sample in its batch's gradient Σ w·l / B; absent: all 1. */
  readonly weights?: Float32Array;
  /** Probability with which each drawn sample was to be drawn, for weights and monitors. */
  readonly inclusion?: Float64Array;
  /**
   * Probability of each eligible sample, in the sequence of `eligible`, to be the first one drawn; for monitors.
   * Absent: all alike.
   */
  readonly probabilities?: Float64Array;
  /**
   * 1 / Σp² of those probabilities, in their place where they are costly: an order that decides each batch would give n
   * numbers with each.
   */
  readonly effectiveDataSize?: number;
}

/** How often an epoch of this order holds each eligible sample: what the conformance suite checks. */
export type Coverage = "each-once" | "at-most-once" | "any";

/** What a definition says, whatever it decides on. */
interface OrderDeclaration<Options> {
  readonly name: string;
  /** One line: what it does. */
  readonly summary: string;
  /** When to choose it, what it costs, whose it is. */
  readonly whenToChoose: string;
  /** Every option with its default and help (`.describe`): a `z.strictObject`. */
  readonly options: z.ZodType<Options> & z.ZodObject;
  /** Whether it reads the ledger, or has candidates scored; such a run must record its orders in full. */
  readonly readsLedger: boolean;
  /**
   * Whether it looks at nothing that the ledger has with these options, as one that chooses by its candidates' scores alone:
   * passes that would score the ledger are refused beside it. No when left out.
   */
  ignoresLedger?(options: Options): boolean;
  /**
   * Why it is otherwise than most orders: wanted where `coverage` is not "each-once", or where an epoch or a seed
   * changes nothing.
   */
  readonly deviation?: string;
  readonly memory?: MemoryDeclaration;
  /** Whether its batches have sizes of their own, whatever the batching rule says. No when left out. */
  readonly ownSizes?: boolean;
  /** Whether nobody can say with which probabilities its samples were drawn; else they are `probabilities`. No when left out. */
  readonly unknownProbabilities?: boolean;
  /** How often an epoch holds each eligible sample, with these options. */
  coverage(options: Options): Coverage;
  /**
   * How many samples an epoch draws, as a share of the eligible ones: sizes that change with progress count them. Left out
   * it is 1, as with a coverage of "each-once", and an order that draws fewer all the same stops short of its sizes.
   */
  epochShare?(options: Options): number;
  /** Signals that it reads beside loss and correct, with these options; none when left out. */
  signals?(options: Options): readonly ExtraSignal[];
  /** What it reads of runs recorded earlier (`from` in a config), with these options; nothing when left out. */
  scores?(options: Options): WantedScores | undefined;
  /**
   * Whether the mean gradient of an epoch is that of another objective than the mean loss over all eligible samples,
   * as that of a subset chosen by loss and not weighted for it; the table says so. No when left out.
   */
  changesObjective?(options: Options): boolean;
  /**
   * Whether two epochs differ with these options, the ledger being equal. The conformance suite holds an order to
   * its yes and to its no.
   */
  changesEachEpoch(options: Options): boolean;
  /** Whether two seeds differ with these options; held to its yes and to its no, too. */
  dependsOnSeed(options: Options): boolean;
}

/** An order that makes a whole epoch before it begins. */
export interface EpochOrder<Options = unknown> extends OrderDeclaration<Options> {
  order(context: OrderContext<Options>): OrderResult;
  readonly nextBatch?: undefined;
  readonly candidates?: undefined;
  readonly decidesEachBatch?: undefined;
  readonly scoresCandidates?: undefined;
  readonly candidatesPerSample?: undefined;
}

/** An order that decides anew before every batch, from the losses of the last ones. */
export interface BatchOrder<Options = unknown> extends OrderDeclaration<Options> {
  readonly order?: undefined;
  /** One batch: as many samples as `count` says. */
  nextBatch(context: BatchContext<Options>): OrderResult;
  readonly candidates?: undefined;
  readonly decidesEachBatch?: undefined;
  readonly scoresCandidates?: undefined;
  readonly candidatesPerSample?: undefined;
}

/** An order that decides anew before every batch, from scores of candidates that it names. */
export interface PoolOrder<Options = unknown> extends OrderDeclaration<Options> {
  readonly order?: undefined;
  /**
   * The candidates of a batch, each once and at least `count` of them: a function of the place alone, since they are
   * scored before the batches before it are chosen, and named again where a run goes on.
   */
  candidates(context: PoolContext<Options>): Uint32Array;
  nextBatch(context: ScoredContext<Options>): OrderResult;
  readonly decidesEachBatch?: undefined;
  readonly scoresCandidates?: undefined;
  /**
   * How many candidates are scored for each sample of a batch, at least 1: a budget of passes counts them, and holds
   * batches to it. Left out: 1 / `epochShare`, where each eligible sample is a candidate once an epoch.
   */
  candidatesPerSample?(options: Options): number;
}

/** An order that decides anew before every batch, from scored candidates or not, as its options say. */
export interface MaybePoolOrder<Options = unknown> extends OrderDeclaration<Options> {
  readonly order?: undefined;
  candidates(context: PoolContext<Options>): Uint32Array;
  nextBatch(context: MaybeScoredContext<Options>): OrderResult;
  readonly decidesEachBatch?: undefined;
  scoresCandidates(options: Options): boolean;
  candidatesPerSample?(options: Options): number;
}

/** An order that makes whole epochs or decides each batch, as its options say. */
export interface EitherOrder<Options = unknown> extends OrderDeclaration<Options> {
  order(context: OrderContext<Options>): OrderResult;
  nextBatch(context: MaybeScoredContext<Options>): OrderResult;
  candidates?(context: PoolContext<Options>): Uint32Array;
  decidesEachBatch(options: Options): boolean;
  /** Of batches that are decided one after another; left out: where there are `candidates`. */
  scoresCandidates?(options: Options): boolean;
  candidatesPerSample?(options: Options): number;
}

/** One order: one file, one of these as its default export, one line in `index.ts`. */
export type OrderDefinition<Options = unknown> =
  | EpochOrder<Options>
  | BatchOrder<Options>
  | PoolOrder<Options>
  | MaybePoolOrder<Options>
  | EitherOrder<Options>;

/** Gives an order its type; the identity otherwise. */
export function defineOrder<Options>(definition: EpochOrder<Options>): EpochOrder<Options>;
export function defineOrder<Options>(definition: BatchOrder<Options>): BatchOrder<Options>;
export function defineOrder<Options>(definition: PoolOrder<Options>): PoolOrder<Options>;
export function defineOrder<Options>(definition: MaybePoolOrder<Options>): MaybePoolOrder<Options>;
export function defineOrder<Options>(definition: EitherOrder<Options>): EitherOrder<Options>;
export function defineOrder<Options>(definition: OrderDefinition<Options>): OrderDefinition<Options> {
  return definition;
}

/** The offsets of a single batch. */
export const oneBatch = (count: number): Uint32Array => Uint32Array.of(0, count);

/**
 * The usual offsets: `count` samples in batches of size(0), size(1), …; the last one is kept, however short.
 * 11 samples with size 3 are four batches: [0, 3, 6, 9, 11].
 */
export function cut(count: number, size: (batch: number) => number): Uint32Array {
  const offsets = [0];
  for (let end = 0; end < count; ) {
    end = Math.min(count, end + size(offsets.length - 1));
    offsets.push(end);
  }
  return Uint32Array.from(offsets);
}
