/** Reads what a run directory says of its experiment, also of one that is half finished. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { usageError } from "../errors.js";
import type { RunResult } from "../experiment/experiment.js";
import { listRuns } from "../record/run-places.js";
import { type EpochTimings, isFinished, type RunDocument, RunRecord } from "../record/run-record.js";
import type { AskedExperiment } from "./asked.js";

/** A run as the findings are made from it. */
export interface TimedRun extends RunResult {
  readonly timings: readonly EpochTimings[];
}

/** As it lies in the directory. */
export interface RunOnRecord extends TimedRun {
  readonly document: RunDocument;
}

export interface RecordedExperiment {
  readonly document: ExperimentDocument;
  /** As the last command asked for it, and whatever else of arms and seeds is on record. */
  readonly asked: AskedExperiment;
  /** Arms and seeds in sequence. */
  readonly runs: readonly RunOnRecord[];
}

const arm = z.looseObject({
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
    arms: z.record(z.string(), arm),
  }),
});
export type ExperimentDocument = z.infer<typeof experimentDocument>;

/** @throws IbatchError when the directory holds no experiment, or a file of it is damaged. */
export function readExperiment(directory: string): RecordedExperiment {
  const document = readDocument(directory);
  const runs = readRuns(directory);
  const { name, config } = document;
  const others = runs.filter((run) => config.arms[run.arm] === undefined);
  const arms = { ...config.arms };
  for (const { arm: key, document } of others.sort(byArm)) arms[key] ??= arm.parse(document.config);
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
  if (!existsSync(path)) {
    throw usageError(
      `${directory} holds no experiment (there is no experiment.json): name a directory of \`ibatch run\``,
    );
  }
  try {
    return experimentDocument.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw usageError(`${path} is damaged: restore it, or run the experiment again in another directory`, { cause });
  }
}

/**
 * Of runs that are under way, what is there so far; those whose first word is not on disk yet are left out.
 * @throws IbatchError when a file is damaged.
 */
export function readRuns(directory: string): RunOnRecord[] {
  return listRuns(directory).flatMap(({ arm, seed, directory: place }) => {
    const record = new RunRecord(place, { orders: "full", signals: "full" });
    const document = record.read();
    if (document === undefined) return [];
    const { state, error, divergedAtStep } = document;
    const metrics = isFinished(document) ? record.readMetrics() : record.readMetricsSoFar();
    return { arm, seed, state, error, divergedAtStep, metrics, timings: record.readTimings(), document };
  });
}
