/** `tuning.json`: which learning rates were tried for each arm, and which one was chosen. Their runs lie in `tuning/`. */
import { join } from "node:path";
import { z } from "zod";
import { MEASURE_KINDS } from "./measure-kinds.js";
import { isDirectory, Missing, Unreadable, unreadable } from "./read-file.js";
import { readSealed, writeSealed } from "./sealed.js";

export const TUNING = "tuning.json";
/** An experiment's directory of its own: an arm and a rate are an arm there. */
export const TUNING_RUNS = "tuning";

/** Where the runs lie; undefined where none was begun. */
export function tuningRuns(directory: string): string | undefined {
  const path = join(directory, TUNING_RUNS);
  return isDirectory(path) ? path : undefined;
}

const count = z.int().min(0);

const trial = z.strictObject({
  rate: z.number(),
  /** Of the last epoch on the part that is held out; null where the run diverged, or failed. */
  values: z.array(z.strictObject({ seed: count, value: z.number().nullable() })).readonly(),
  diverged: count,
  /** Over the runs that are done. */
  mean: z.number().nullable(),
  sd: z.number().nullable(),
});
/** An arm's runs at one rate. */
export type Trial = Readonly<z.infer<typeof trial>>;

const tunedArm = z.strictObject({
  arm: z.string(),
  /** The one that was chosen; null where none could be. */
  rate: z.number().nullable(),
  /** Why none could be chosen. */
  lack: z.string().optional(),
  /** Where the chosen one is an end of those that were tried. */
  end: z.enum(["lowest", "highest"]).optional(),
  /** Rates ascending. */
  trials: z.array(trial).readonly(),
  /** Of all its runs: how many there are, and samples trained on and scored in the epochs on record. */
  cost: z.strictObject({ runs: count, samples: count, scored: count }),
});
export type TunedArm = Readonly<z.infer<typeof tunedArm>>;

export const tuningDocument = z.strictObject({
  /** By which the best rate was chosen. */
  measure: z.enum(MEASURE_KINDS),
  seeds: z.array(count).readonly(),
  /** Share of what may be trained on that was held out, and how many samples that were; null where no run came so far. */
  validation: z.strictObject({ share: z.number(), samples: count.nullable() }),
  arms: z.array(tunedArm).readonly(),
});
export type TuningDocument = Readonly<z.infer<typeof tuningDocument>>;

/**
 * What was chosen for other arms stays: they may have runs, too. One that is damaged is written anew. `sequence`: of the
 * arms, as the config has them; others come last.
 */
export function writeTuning(
  directory: string,
  { arms, ...document }: TuningDocument,
  sequence: readonly string[] = [],
): void {
  const others = tunedOnRecord(directory).filter(({ arm }) => arms.every((one) => one.arm !== arm));
  const place = ({ arm }: TunedArm) => (sequence.includes(arm) ? sequence.indexOf(arm) : sequence.length);
  const all = [...arms, ...others].sort((a, b) => place(a) - place(b));
  writeSealed(join(directory, TUNING), { ...document, arms: all });
}

/** None where it is damaged, or not there. */
export function tunedOnRecord(directory: string): readonly TunedArm[] {
  try {
    return readSealed(join(directory, TUNING), tuningDocument, "refuse").arms;
  } catch (error) {
    if (error instanceof Unreadable) return [];
    throw error;
  }
}

/** Undefined where nothing was tuned yet. @throws IbatchError where it is damaged. */
export function readTuning(directory: string): TuningDocument | undefined {
  const path = join(directory, TUNING);
  try {
    return readSealed(path, tuningDocument, "refuse");
  } catch (error) {
    if (error instanceof Missing) return undefined;
    if (!(error instanceof Unreadable)) throw error;
    throw unreadable(path, error, "give the `ibatch run` again that made it, which writes it anew");
  }
}
