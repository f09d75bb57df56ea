/** `experiment.json`: its schema, used to write and to read. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { usageError } from "../errors.js";
import { whyBlocked } from "./blocked.js";
import { MEASURE_KINDS } from "./measure-kinds.js";
import { Missing, notSeen, Refused, readJson, Unreadable, unreadable } from "./read-file.js";
import { keeping, recordedArm } from "./run-document.js";
import { readSealed, writeSealed } from "./sealed.js";

export const EXPERIMENT = "experiment.json";

const settings = z.record(z.string(), z.unknown());

const seed = z.number().optional();

const configShape = {
  seeds: z.array(z.number()).readonly(),
  /** Of what is the same in every run; absent where nothing is. */
  fixedSeeds: z.object({ model: seed, order: seed, noise: seed }).optional(),
  baseline: z.string().optional(),
  /** Absent in records of before there were such: every arm with the baseline. */
  comparisons: z
    .array(z.object({ arm: z.string(), with: z.string() }))
    .readonly()
    .optional(),
  /** Absent in records of before there was a choice: accuracy. */
  primary: z.enum(MEASURE_KINDS).optional(),
  /** How learning rates were chosen; absent where they are as the config says. */
  tune: z
    .object({
      learningRate: z.array(z.number()).readonly(),
      seeds: z.number(),
      validation: z.number(),
      measure: z.enum(MEASURE_KINDS),
    })
    .optional(),
  targetAccuracy: z.number().nullable().default(null),
  equivalenceMargin: z.number().nullable().default(null),
  arms: z.record(z.string(), recordedArm),
  name: z.string(),
  evaluation: settings.optional(),
  record: settings.optional(),
  checkpoint: settings.nullable().optional(),
  backend: settings.optional(),
  /** What is common to all arms. */
  base: settings.optional(),
};
const experimentDocument = z.object({
  name: z.string(),
  /** Of what determines numbers and is common to all runs. */
  hash: z.string(),
  /** Resolved; the rest of it is kept as it is. */
  config: keeping(configShape),
  command: z.string(),
  /** Where the command was given, and this experiment's directory then; absent in records of before. */
  given: z.object({ in: z.string(), directory: z.string() }).optional(),
  commit: z.string().optional(),
  ibatchVersion: z.string(),
});
/** What an experiment is, how the last command asked for it, and its config with all defaults. */
export type ExperimentDocument = Readonly<z.infer<typeof experimentDocument>>;

/** Records of before there were `comparisons` planned every arm with the baseline. */
export const comparisonsOf = ({
  baseline,
  comparisons,
  arms,
}: ExperimentDocument["config"]): readonly { readonly arm: string; readonly with: string }[] =>
  comparisons ??
  (baseline === undefined
    ? []
    : Object.keys(arms)
        .filter((name) => name !== baseline)
        .map((name) => ({ arm: name, with: baseline })));

export const writeExperimentDocument = (directory: string, document: ExperimentDocument): void =>
  writeSealed(join(directory, EXPERIMENT), document);

/** @throws IbatchError when the directory holds no experiment, or the document is damaged. */
export function readExperimentDocument(directory: string): ExperimentDocument {
  const path = join(directory, EXPERIMENT);
  try {
    return readSealed(path, experimentDocument);
  } catch (cause) {
    if (!(cause instanceof Unreadable)) throw cause;
    if (isFile(directory)) throw usageError(`${directory} is a file: name a directory of \`ibatch run\``);
    const why = whyBlocked(directory);
    if (why !== undefined) throw usageError(`${directory} ${why}`);
    if (!(cause instanceof Missing)) {
      throw unreadable(path, cause, "give the `ibatch run` again that made it, which writes it anew");
    }
    throw usageError(
      `${directory} holds no experiment (there is no experiment.json): name a directory of \`ibatch run\``,
    );
  }
}

/** Undefined where none of this experiment is on record that can be read. */
export function recordedConfig(directory: string, hash: string): ExperimentDocument["config"] | undefined {
  try {
    const document = readSealed(join(directory, EXPERIMENT), experimentDocument);
    return document.hash === hash ? document.config : undefined;
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

const { hash, command, ibatchVersion } = experimentDocument.shape;
/** What only messages tell is let be where it is not as it should be. */
const identity = z.object({
  hash,
  ibatchVersion: ibatchVersion.optional(),
  command: command.optional().catch(undefined),
  config: z
    .object(configShape)
    .pick({ name: true, evaluation: true, base: true, fixedSeeds: true, tune: true })
    .partial()
    .optional()
    .catch(undefined),
});

/**
 * Which experiment it says that this is, changed since or not. Undefined where there is none, or one that is not ours.
 * @throws IbatchError where it cannot be read though it may be whole.
 */
export function readIdentity(directory: string): z.infer<typeof identity> | undefined {
  const path = join(directory, EXPERIMENT);
  try {
    return readJson(path, identity);
  } catch (error) {
    if (error instanceof Refused) throw notSeen(path, error);
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}
