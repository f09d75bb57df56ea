/** `summary.json`: its schema; what is written is of its type. */
import { z } from "zod";
import { measured } from "./epoch-metrics.js";
import { recordedNumber } from "./number.js";
import { runStatus } from "./run-document.js";

const count = z.int().min(0);

const spread = z.strictObject({ mean: recordedNumber, sd: recordedNumber.nullable() });
/** Mean and standard deviation (n - 1) over runs; sd is null for one run. */
export type Spread = Readonly<z.infer<typeof spread>>;

const runSummary = z.strictObject({
  seed: count,
  state: runStatus,
  epochs: count,
  test: measured.optional(),
  error: z.string().optional(),
  divergedAtStep: count.optional(),
});

const armSummary = z.strictObject({
  arm: z.string(),
  /** Length of its runs; with a budget the most that one of them trained. */
  epochs: z.number(),
  /** Whether its order trains on another objective than the mean loss over all eligible samples. */
  changesObjective: z.boolean(),
  /** Runs that came to their last epoch: what the means are over. */
  done: count,
  /** Runs that ended at a loss that was not finite. */
  diverged: count,
  /** Runs that ended in an error. */
  failed: count,
  /** Seeds that were asked for of which no run is on record. */
  missing: z.array(count).readonly(),
  /** In a whole run that is done, repeats counted, mean over runs; null for none. */
  samplesTrained: z.number().nullable(),
  testAccuracy: spread.nullable(),
  testLoss: spread.nullable(),
  runs: z.array(runSummary).readonly(),
});
export type ArmSummary = Readonly<z.infer<typeof armSummary>>;

export const summaryDocument = z.strictObject({
  name: z.string(),
  directory: z.string(),
  /** Those that were asked for: exactly these are summarised, whatever else the directory holds. */
  seeds: z.array(count).readonly(),
  arms: z.array(armSummary).readonly(),
});
/** What an experiment says in numbers: the last epoch of every run, by arm. */
export type Summary = Readonly<z.infer<typeof summaryDocument>>;
