/** Reads a run's record, also of one that is under way, and refuses one whose parts do not fit together. */
import { basename, dirname, join } from "node:path";
import type { z } from "zod";
import { IbatchError } from "../errors.js";
import { parseLines, parseLinesSoFar } from "./epoch-lines.js";
import { type EpochMetrics, type EpochTimings, epochMetrics, epochTimings } from "./epoch-metrics.js";
import { damage, type Unreadable } from "./read-file.js";
import { hasPlan, planOf } from "./recorded-orders.js";
import { isFinished, type RunDocument, type Surroundings } from "./run-document.js";
import { hasOnlyBegun, METRICS, orderFile, RUN_DOCUMENT, TIMINGS } from "./run-files.js";
import { RunFiles } from "./verified-files.js";

/** A run whose first word is on record. */
export interface OpenedRun {
  readonly document: RunDocument;
  /** To go on reading. */
  readonly files: RunFiles;
}

export interface RunAsRead extends OpenedRun {
  readonly metrics: readonly EpochMetrics[];
  readonly timings: readonly EpochTimings[];
}

/**
 * Undefined of a run whose first word is still to be written. `remedy`: what to do about damage.
 * @throws IbatchError that names the file that is damaged, as do all below.
 */
export function openRun(directory: string, remedy?: string): OpenedRun | undefined {
  const files = new RunFiles(directory, remedy);
  if (!files.has(RUN_DOCUMENT) && hasOnlyBegun(directory)) return undefined;
  const document = files.document();
  const told = `${document.arm}/seed-${document.seed}`;
  if (told === join(basename(dirname(directory)), basename(directory))) return { document, files };
  throw files.damaged(RUN_DOCUMENT, damage(`it is of ${told}`), "move this run to where it belongs, or ");
}

/** Whether it says that it came to its end; of one that cannot be read, whoever goes on with it says why. */
export function isFinishedOnRecord(directory: string): boolean {
  try {
    const opened = openRun(directory);
    return opened !== undefined && isFinished(opened.document);
  } catch (error) {
    if (error instanceof IbatchError) return false;
    throw error;
  }
}

/** What a run that came to its end was made in. @throws IbatchError where that is not on record. */
export function recordedSurroundings(directory: string, { surroundings }: RunDocument): Surroundings {
  if (surroundings !== undefined) return surroundings;
  throw new RunFiles(directory).damaged(RUN_DOCUMENT, damage("it lacks the surroundings"));
}

/** With its epochs; of a run that may be under way, those that are there so far. */
export function readRun(directory: string): RunAsRead | undefined {
  const opened = openRun(directory);
  return opened && readEpochs(opened);
}

export function readEpochs(opened: OpenedRun): RunAsRead {
  const { document, files } = opened;
  const isWhole = isFinished(document);
  const run = { ...opened, metrics: metricsOf(files, isWhole), timings: timingsOf(files, isWhole) };
  if (!isWhole) return run;
  const lack = lackOf(run);
  if (lack !== undefined) throw files.damaged(RUN_DOCUMENT, lack);
  if (files.listed === undefined) refuseOthersMetrics(run);
  return run;
}

/** `isWhole`: of a run that came to its end. Of one that may be under way a line that lacks its end is not read yet. */
export const metricsOf = (files: RunFiles, isWhole: boolean): EpochMetrics[] =>
  linesOf(files, METRICS, epochMetrics, isWhole);

/** Of a run that came to its end. */
export const readMetrics = (directory: string): EpochMetrics[] => metricsOf(new RunFiles(directory), true);

export const timingsOf = (files: RunFiles, isWhole: boolean): EpochTimings[] =>
  linesOf(files, TIMINGS, epochTimings, isWhole);

function linesOf<T extends EpochMetrics | EpochTimings>(
  files: RunFiles,
  name: string,
  schema: z.ZodType<T>,
  isWhole: boolean,
): T[] {
  if (!isWhole && !files.has(name)) return [];
  const parse = isWhole ? parseLines : parseLinesSoFar;
  return files.parsed(name, (bytes) => parse(bytes.toString("utf8"), schema));
}

/** Metrics say by which order they came about; where there are no checksums, those of another run show by that. */
function refuseOthersMetrics({ metrics, files }: RunAsRead): void {
  for (const { epoch, orderSha256, planSha256 } of metrics) {
    if (!hasPlan(files, epoch)) continue;
    const plan = planOf(files, epoch);
    if (plan.orderSha256 === orderSha256 && plan.planSha256 === planSha256) continue;
    throw files.damaged(METRICS, damage(`line ${epoch + 1} is of another order than ${orderFile(epoch, "json")}`));
  }
}

/** In what a run that says that it came to its end lacks some of it. */
function lackOf({ document, metrics, timings }: RunAsRead): Unreadable | undefined {
  const { state, divergedAtStep, config, surroundings } = document;
  const has = (what: string) => damage(`it says ${state}, but ${what}`);
  if ((state === "diverged") !== (divergedAtStep !== undefined)) return has("names no step for it, or one too many");
  if (timings.length !== metrics.length)
    return has(`timings.jsonl has ${timings.length} epochs, metrics.jsonl ${metrics.length}`);
  if (state === "diverged") return undefined;
  const { epochs = metrics.length } = config; // a budget says nothing of epochs
  if (metrics.length !== epochs || epochs === 0) return has(`metrics.jsonl has ${metrics.length} of ${epochs} epochs`);
  const last = metrics.at(-1);
  if (config.dataset?.heldOut !== undefined) {
    return last?.validation ? undefined : has("its last epoch has no measurement on what was held out for tuning");
  }
  const isTested = last?.test !== undefined || surroundings?.testCount === 0;
  return isTested ? undefined : has("its last epoch has no measurement on the test set");
}
