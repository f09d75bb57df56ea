/** Reads what a run directory says of its experiment, also of one that is half finished. */
import { join } from "node:path";
import { z } from "zod";
import { IbatchError, usageError } from "../errors.js";
import type { RunResult } from "../experiment/experiment.js";
import { whyBlocked } from "../record/blocked.js";
import type { EpochTimings } from "../record/epoch-metrics.js";
import { findRuns } from "../record/find-runs.js";
import { damage, Missing, Unreadable } from "../record/read-file.js";
import { readRun } from "../record/read-run.js";
import { isFinished, type RunDocument } from "../record/run-document.js";
import { RUN_DOCUMENT } from "../record/run-files.js";
import type { RunPlaceOnDisk } from "../record/run-places.js";
import { RunRecord } from "../record/run-record.js";
import { readSealed } from "../record/sealed.js";
import type { RunFiles } from "../record/verified-files.js";
import type { AskedExperiment } from "./asked.js";
import { answersOneClass } from "./collapse.js";

/** A run as the findings are made from it. */
export interface TimedRun extends RunResult {
  readonly timings: readonly EpochTimings[];
  /** Whatever test sample it is shown; undefined where its predictions are not on record. */
  readonly answersOneClass?: boolean | undefined;
}

/** As it lies in the directory. */
export interface RunOnRecord extends TimedRun {
  readonly document: RunDocument;
  /** For its arrays. */
  readonly files: RunFiles;
}

/** One that is left out of all results. */
export interface DamagedRun {
  readonly arm: string;
  /** Undefined: all of the arm's. */
  readonly seed: number | undefined;
  /** Which file, what was seen, what to do. */
  readonly damage: string;
}

export interface RunsOnRecord {
  /** Arms and seeds in sequence. */
  readonly runs: readonly RunOnRecord[];
  readonly damaged: readonly DamagedRun[];
}

export interface RecordedExperiment extends RunsOnRecord {
  readonly document: ExperimentDocument;
  /** As the last command asked for it, and whatever else of arms and seeds is on record. */
  readonly asked: AskedExperiment;
}

const armConfig = z.looseObject({
  epochs: z.number(),
  order: z.looseObject({ changesObjective: z.boolean().default(false) }),
});

const experimentDocument = z.object({
  name: z.string(),
  hash: z.string(),
  command: z.string(),
  commit: z.string().optional(),
  ibatchVersion: z.string(),
  config: z.looseObject({
    seeds: z.array(z.number()),
    baseline: z.string().optional(),
    comparisons: z.array(z.object({ arm: z.string(), with: z.string() })).optional(),
    targetAccuracy: z.number().nullable().default(null),
    equivalenceMargin: z.number().nullable().default(null),
    arms: z.record(z.string(), armConfig),
  }),
});
export type ExperimentDocument = z.infer<typeof experimentDocument>;

export interface ReadOptions {
  /** These seeds of the config's arms alone; all that is there when left out. */
  readonly seeds?: readonly number[];
  /** Whether each of a run's arrays is checked, whatever is then read of them. */
  readonly withArrays?: boolean;
}

/** @throws IbatchError when the directory holds no experiment, or `experiment.json` is damaged. */
export function readExperiment(directory: string, options: ReadOptions = {}): RecordedExperiment {
  const document = readDocument(directory);
  const { name, config } = document;
  const { runs, damaged } = readRuns(directory, Object.keys(config.arms), options);
  const others = runs.filter((run) => config.arms[run.arm] === undefined);
  const arms = { ...config.arms };
  for (const { arm: key, document } of others.sort(byArm)) arms[key] ??= armConfig.parse(document.config);
  return {
    document,
    asked: {
      name,
      baseline: config.baseline,
      comparisons: config.comparisons ?? withBaseline(config),
      targetAccuracy: config.targetAccuracy,
      equivalenceMargin: config.equivalenceMargin,
      seeds: [...new Set([...config.seeds, ...runs.map(({ seed }) => seed)])].sort((a, b) => a - b),
      arms,
    },
    runs,
    damaged,
  };
}

const byArm = (a: RunOnRecord, b: RunOnRecord): number => (a.arm < b.arm ? -1 : 1);

/** What records from before there were `comparisons` planned. */
const withBaseline = ({ baseline, arms }: ExperimentDocument["config"]): AskedExperiment["comparisons"] =>
  baseline === undefined
    ? []
    : Object.keys(arms)
        .filter((name) => name !== baseline)
        .map((name) => ({ arm: name, with: baseline }));

function readDocument(directory: string): ExperimentDocument {
  const path = join(directory, "experiment.json");
  try {
    return readSealed(path, experimentDocument);
  } catch (cause) {
    if (!(cause instanceof Unreadable)) throw cause;
    const why = whyBlocked(directory);
    if (why !== undefined) throw usageError(`${directory} ${why}`);
    if (!(cause instanceof Missing)) {
      throw usageError(
        `${path} ${cause.message}: ${cause.first}give the \`ibatch run\` again that made it, which writes it anew`,
        { cause },
      );
    }
    throw usageError(
      `${directory} holds no experiment (there is no experiment.json): name a directory of \`ibatch run\``,
    );
  }
}

/**
 * Of runs that are under way, what is there so far; those whose first word is not on disk yet are left out.
 * `arms`: those of the config.
 */
export function readRuns(
  directory: string,
  arms: readonly string[],
  { seeds, withArrays = false }: ReadOptions = {},
): RunsOnRecord {
  const isWanted = ({ arm, seed }: Pick<DamagedRun, "arm" | "seed">) =>
    seeds === undefined || (arms.includes(arm) && (seed === undefined || seeds.includes(seed)));
  const found = findRuns(directory, arms);
  const runs: RunOnRecord[] = [];
  const damaged: DamagedRun[] = found.blocked.filter(isWanted);
  for (const place of found.runs.filter(isWanted)) {
    try {
      runs.push(...readOne(place, withArrays));
    } catch (error) {
      if (!(error instanceof IbatchError)) throw error;
      damaged.push({ arm: place.arm, seed: place.seed, damage: error.message });
    }
  }
  return { runs, damaged };
}

function readOne({ arm, seed, directory }: RunPlaceOnDisk, withArrays: boolean): RunOnRecord[] {
  const run = readRun(new RunRecord(directory, { orders: "full", signals: "full" }));
  if (run === undefined) return [];
  const { document, files } = run;
  if (!armConfig.safeParse(document.config).success) throw files.damaged(RUN_DOCUMENT, damage("config: no arm's"));
  if (withArrays && isFinished(document)) files.verifyAll();
  const { state, error, divergedAtStep } = document;
  const told = isFinished(document) ? { answersOneClass: answersOneClass(files) } : {};
  return [{ arm, seed, state, error, divergedAtStep, ...run, ...told }];
}
