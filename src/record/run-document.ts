/** `run.json`: its schema, used to write and to read. */
import { z } from "zod";
import { CHECKSUMS } from "./checksums.js";

/** How a run stands or ended. `diverged`: its first loss that was not finite ended it; a result, not a failure. */
export const runStatus = z.enum(["running", "done", "diverged", "failed", "interrupted"]);
export type RunStatus = z.infer<typeof runStatus>;

const count = z.int().min(0);
const settings = z.record(z.string(), z.unknown());
/** An object of which this much is read again; the rest is kept as it is. */
export const keeping = <Shape extends z.ZodRawShape>(shape: Shape): z.ZodType<z.infer<z.ZodObject<Shape>>> =>
  z.looseObject(shape);

const named = keeping({ name: z.string() });

const armShape = {
  /** Absent where a budget of another kind says the length. */
  epochs: z.number().optional(),
  budget: z
    .object({
      updates: z.number().optional(),
      samples: z.number().optional(),
      forwardEquivalents: z.number().optional(),
    })
    .optional(),
  order: keeping({
    /** Whether it trains on another objective than the mean loss over all eligible samples. */
    changesObjective: z.boolean().optional(),
    name: z.string().optional(),
    options: settings.optional(),
    file: z.unknown().optional(),
    replay: z.unknown().optional(),
    shuffledLastEpoch: z.boolean().optional(),
  }),
  dataset: keeping({
    name: z.string(),
    subset: count.nullable().optional(),
    validation: count.optional(),
    subsetSeed: z.string().optional(),
    part: z.string().optional(),
    /** Of a run that a learning rate was tuned by. */
    heldOut: z.number().optional(),
    labelNoise: z.object({ fraction: z.number(), seed: count }).nullable().optional(),
  }).optional(),
  model: named.optional(),
  loss: named.optional(),
  optimizer: named.optional(),
  schedule: named.optional(),
  batching: named.optional(),
  augmentation: settings.optional(),
  precision: z.string().optional(),
  /** Of a run's alone: an experiment has one for all arms. */
  evaluation: settings.optional(),
  /** Likewise: those that are the same in every run. */
  seeds: settings.optional(),
};
/** What an arm's config says, as far as it is read again; absent parts are of records of before there were such. */
export type RecordedArm = z.infer<z.ZodObject<typeof armShape>>;
export const recordedArm = keeping(armShape);

const surroundings = z.object({
  device: z.string(),
  deviceName: z.string(),
  threads: count,
  versions: z.record(z.string(), z.string()),
  platform: z.string(),
  /** What the backend was asked to load, and what it found. */
  dataset: z.object({ name: z.string(), options: settings }),
  dataSha256: z.string(),
  testCount: count,
  initialWeightsSha256: z.string(),
  parameterCount: count,
  settings,
  /** What was imported of the user's; absent in records of before there was such. */
  imports: z
    .array(
      z.object({
        reference: z.string(),
        file: z.string().nullable(),
        version: z.string().nullable(),
        sha256: z.string().nullable(),
      }),
    )
    .optional(),
  /** Every source of the user's that was executed for these, by module; absent in records of before, and without any. */
  code: z.array(z.object({ module: z.string(), file: z.string(), sha256: z.string() })).optional(),
});
/** What a run's bits depend on beside config and seed. */
export type Surroundings = z.infer<typeof surroundings>;

export const runDocument = z.object({
  arm: z.string(),
  seed: count,
  /** By source of chance: `seed`, unless the config fixes it; absent in records of before there were such. */
  seeds: z.object({ model: count, order: count, noise: count }).optional(),
  configHash: z.string(),
  /** What `configHash` is over; `experiment.json` holds the arms of the last command alone. */
  config: recordedArm,
  /** Of a replaying run, a hash of the plans that it replays; absent in records of before there was such. */
  replayedSha256: z.string().optional(),
  ibatchVersion: z.string(),
  commit: z.string().optional(),
  startedAt: z.string().optional(),
  /** When it went on from a checkpoint, and from which step; absent where nothing happened to it. */
  resumed: z
    .array(
      z.object({
        at: z.string(),
        step: count,
        /** By which it went on, where another one had begun it. */
        ibatchVersion: z.string().optional(),
        commit: z.string().optional(),
      }),
    )
    .optional(),
  /** How many runs were trained at a time, where there were several, also by commands beside this one: seconds are of shared cores then. */
  sideBySide: count.optional(),
  state: runStatus,
  divergedAtStep: count.optional(),
  /** Of a run that came to its end, the step of the checkpoint that is kept: of that end; absent where none is. */
  finalCheckpoint: count.optional(),
  error: z.string().optional(),
  /**
   * Of a failed run: its training failed at the backend, so that other code may mend it. Absent where its order failed
   * (one that is mended is another arm), where it failed for what lies outside of it, and in records of before.
   */
  failedByItself: z.literal(true).optional(),
  /** Of a failed run: its order made another plan when it was to go on, and will again until that is mended. */
  madeOtherPlan: z.literal(true).optional(),
  surroundings: surroundings.optional(),
  /** The list of all its files beside this one; absent in records of before there was such, and until the run ends. */
  checksums: z.literal(CHECKSUMS).optional(),
});
/** `run.json`: what this run is, what made it, and how it stands. */
export type RunDocument = z.infer<typeof runDocument>;

/** Whether it came to its end: a result. */
export const isFinished = ({ state }: Pick<RunDocument, "state">): boolean => state === "done" || state === "diverged";

/** How the error of a run begins that failed without being tried, for want of what all runs need. */
export const NOT_TRIED = "not tried: ";

export const isUntried = ({ error }: { readonly error?: string | undefined }): boolean =>
  error?.startsWith(NOT_TRIED) ?? false;
