/** How an order that reads the ledger comes by what it reads: options that every such order has beside its own. */
import { z } from "zod";
import type { OrderDefinition } from "./contract.js";

/** Keys of which one says which order is meant: its options stand beside that one. */
export const ORDER_ORIGINS = ["name", "file", "replay"] as const;

/** Batches that a backend is sent ahead, at most. */
const MOST_LAG = 8;
export const DEFAULT_LAG = 1;

export const ledgerOptions = z
  .strictObject({
    signal: z
      .enum(["training", "rescore"])
      .default("training")
      .describe(
        "where losses come from; training: each sample's last training pass, free, of different ages, with dropout and " +
          "augmentation; rescore: a pass over all eligible samples in evaluation mode before the epoch, charged as " +
          "scoring",
      ),
    every: z
      .int()
      .min(1)
      .default(1)
      .describe(
        "epochs between two scoring passes, for signal: rescore, the first one before the second epoch (before the first " +
          "with start: scored); between them losses stay as they are",
      ),
    start: z
      .enum(["shuffled", "scored"])
      .default("shuffled")
      .describe("the first epoch, before there is any loss: by chance, or ordered by a scoring pass before it"),
    placebo: z
      .union([z.boolean(), z.literal("seen")], "expected true, false or seen")
      .default(false)
      .describe(
        "a control: what is known of each sample is permuted among the samples, anew each epoch, a function of seed and " +
          "epoch; same code and cost, no information. true: among all; seen: among those that were seen, so that what was " +
          "never seen comes when it does without placebo (weighted with unseen: highest)",
      ),
    meanDecay: z
      .number()
      .min(0)
      .lt(1)
      .default(0.9)
      .describe("weight of the old mean in a sample's exponential mean of losses (by: mean-loss)"),
    lag: z
      .int()
      .min(0)
      .max(MOST_LAG)
      .optional()
      .describe(
        `steps between the last losses that a batch is chosen by and the batch, of an order that decides each batch, 0 … ${MOST_LAG}; ` +
          "0: each choice waits for the batch before; 1, where left out: the backend trains meanwhile",
      ),
  })
  .refine(({ signal, every }) => signal === "rescore" || every === 1, {
    path: ["every"],
    message: "expected 1 without signal: rescore, for training passes give losses all the time",
  });
export type LedgerOptions = z.infer<typeof ledgerOptions>;

/** Of the options above, those that mean something beside this order. */
function ledgerShape({ readsLedger, nextBatch }: Pick<OrderDefinition, "readsLedger" | "nextBatch">): z.ZodRawShape {
  if (!readsLedger) return {};
  const { lag, ...shape } = ledgerOptions.shape;
  return { ...shape, ...(nextBatch && { lag }) };
}

/** Where what an order reads of runs recorded earlier comes from: an option that every such order has beside its own. */
export const scoreOptions = z.strictObject({
  from: z
    .string()
    .nullable()
    .optional()
    .describe(
      "directory, relative to this file, of finished runs whose values a sample are read: of an arm, or of one run " +
        "(`<arm>/seed-<n>`); for a run of seed s the mean over those of other seeds; null: none, where all arms have one",
    ),
});

/** Which of the options that are not its own an order has. */
export interface Reads {
  readonly readsLedger: boolean;
  /** Whether it may read runs recorded earlier. */
  readonly readsScores: boolean;
}

export const readsOf = ({ readsLedger, scores }: Pick<OrderDefinition, "readsLedger" | "scores">): Reads => ({
  readsLedger,
  readsScores: scores !== undefined,
});

/**
 * All options of an order: its own, and those above where it reads the ledger, or runs recorded earlier. What a config writes
 * beside its name.
 */
export function orderOptions(definition: OrderDefinition): z.ZodObject {
  const fromShape = definition.scores === undefined ? {} : scoreOptions.shape;
  return z.strictObject({ ...fromShape, ...definition.options.shape, ...ledgerShape(definition) });
}

/** Whether this key beside an order's name is the controller's. */
export const isTaken = (option: string, { readsLedger, readsScores }: Reads): boolean =>
  ORDER_ORIGINS.some((origin) => origin === option) ||
  (readsLedger && Object.hasOwn(ledgerOptions.shape, option)) ||
  (readsScores && Object.hasOwn(scoreOptions.shape, option));

/** What is written beside an order's name, by whose it is. */
export interface SplitOptions {
  readonly own: Readonly<Record<string, unknown>>;
  /** How its ledger is come by. */
  readonly ledger: Readonly<Record<string, unknown>>;
  /** Where the runs that it reads are: `from`, if anything. */
  readonly source: Readonly<Record<string, unknown>>;
}

export function splitOptions(given: Readonly<Record<string, unknown>>, reads: Reads): SplitOptions {
  const isOfLedger = (key: string) => reads.readsLedger && Object.hasOwn(ledgerOptions.shape, key);
  const isOfSource = (key: string) => reads.readsScores && Object.hasOwn(scoreOptions.shape, key);
  const those = (isOne: (key: string) => boolean) =>
    Object.fromEntries(Object.entries(given).filter(([key]) => isOne(key)));
  return {
    own: those((key) => !isOfLedger(key) && !isOfSource(key)),
    ledger: those(isOfLedger),
    source: those(isOfSource),
  };
}

/** Whether a scoring pass is due before this epoch's order is made. */
export function isScoringDue(ledger: LedgerOptions | undefined, epoch: number): boolean {
  if (ledger === undefined) return false;
  if (epoch === 0) return ledger.start === "scored";
  const first = ledger.start === "scored" ? 0 : 1; // no epoch but the first one is without losses
  return ledger.signal === "rescore" && (epoch - first) % ledger.every === 0;
}
