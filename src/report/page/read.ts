/** Reads a run directory, also one that is half finished, into what the page is made from. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type IbatchError, usageError } from "../../errors.js";
import { listRuns } from "../../record/report-file.js";
import { type EpochTimings, RunRecord } from "../../record/run-record.js";
import type { ArmData, ReportData, RunData } from "./data.js";
import { readConfusion, readExample } from "./read-arrays.js";

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
    arms: z.record(z.string(), arm),
  }),
});

const timings: z.ZodType<EpochTimings> = z.object({
  epoch: z.number(),
  orderingSeconds: z.number(),
  trainingSeconds: z.number(),
  scoringSeconds: z.number(),
  evaluatingSeconds: z.number(),
  wireSeconds: z.number(),
  waitingSeconds: z.number(),
  totalSeconds: z.number(),
});

const labelNames = z.object({ classNames: z.array(z.string()) });

/** @throws IbatchError when the directory holds no experiment, or a file of it is damaged. */
export function readReportData(directory: string): ReportData {
  const { config, ...document } = readExperiment(directory);
  const runs = listRuns(directory).map((place) => ({ arm: place.arm, run: readRun(directory, place) }));
  const names = [...new Set([...Object.keys(config.arms), ...runs.map((run) => run.arm).sort()])];
  const classNames = readClassNames(directory);
  const seeds = new Set([...config.seeds, ...runs.map(({ run }) => run.seed)]);
  return {
    ...document,
    commit: document.commit,
    config,
    baseline: config.baseline,
    seeds: [...seeds].sort((a, b) => a - b),
    classNames,
    arms: names.map((name) => {
      const own = runs.filter((run) => run.arm === name).map(({ run }) => run);
      const chosen = config.arms[name] ?? arm.parse(own[0].document.config);
      return readArm(directory, { arm: name, epochs: chosen.epochs, ...chosen.order }, own, classNames?.length);
    }),
  };
}

function readExperiment(directory: string): z.infer<typeof experimentDocument> {
  const path = join(directory, "experiment.json");
  if (!existsSync(path)) {
    throw usageError(
      `${directory} holds no experiment (there is no experiment.json): name a directory of \`ibatch run\``,
    );
  }
  return parse(path, experimentDocument, readFileSync(path, "utf8"));
}

function readRun(directory: string, { arm, seed }: { arm: string; seed: number }): RunData {
  const path = join(directory, arm, `seed-${seed}`);
  const record = new RunRecord(path, { orders: "full", signals: "full" });
  const document = record.read();
  if (document === undefined) throw record.damaged(`${join(path, "run.json")} is missing`);
  return { seed, document, metrics: record.readMetrics(), timings: readTimings(join(path, "timings.jsonl")) };
}

/** A line is appended whole; one without its end is still being written. */
function readTimings(path: string): EpochTimings[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => parse(path, timings, line));
}

function readArm(
  directory: string,
  { arm, epochs, changesObjective }: { arm: string; epochs: number; changesObjective: boolean },
  runs: readonly RunData[],
  classCount: number | undefined,
): ArmData {
  const trained = runs.find((run) => run.document.state === "done") ?? runs.find((run) => run.metrics.length > 0);
  return {
    arm,
    epochs,
    changesObjective,
    runs,
    example: trained && readExample({ directory, arm, run: trained, classCount }),
    confusion: readConfusion(directory, arm, runs, classCount),
  };
}

function readClassNames(directory: string): readonly string[] | undefined {
  const path = join(directory, "labels.json");
  return existsSync(path) ? parse(path, labelNames, readFileSync(path, "utf8")).classNames : undefined;
}

function parse<T>(path: string, schema: z.ZodType<T>, text: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw damaged(path, error);
  }
}

const damaged = (path: string, cause: unknown): IbatchError =>
  usageError(`${path} is damaged: restore it, or run the experiment again in another directory`, { cause });
