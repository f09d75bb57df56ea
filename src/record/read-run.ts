/** Reads a run's record, also of one that is under way, and refuses one whose parts do not fit together. */
import { z } from "zod";
import type { EpochMetrics, EpochTimings } from "./epoch-metrics.js";
import { damage, type Unreadable } from "./read-file.js";
import { orderFile, planOf } from "./recorded-arrays.js";
import { isFinished, type RunDocument } from "./run-document.js";
import { METRICS, RUN_DOCUMENT } from "./run-files.js";
import type { RunRecord } from "./run-record.js";
import type { RunFiles } from "./verified-files.js";

export interface RunAsRead {
  readonly document: RunDocument;
  readonly metrics: readonly EpochMetrics[];
  readonly timings: readonly EpochTimings[];
  /** For its arrays. */
  readonly files: RunFiles;
}

/**
 * Undefined of a run whose first word is still to be written.
 * @throws IbatchError that names the file that is damaged.
 */
export function readRun(record: RunRecord): RunAsRead | undefined {
  const begun = record.readFiles();
  if (begun === undefined) return undefined;
  const { document, files } = begun;
  if (!isFinished(document)) {
    return { ...begun, metrics: record.readMetricsSoFar(files), timings: record.readTimingsSoFar(files) };
  }
  const run = { ...begun, metrics: record.readMetrics(files), timings: record.readTimings(files) };
  const lack = lackOf(run);
  if (lack !== undefined) throw files.damaged(RUN_DOCUMENT, lack);
  if (files.listed === undefined) refuseOthersMetrics(run);
  return run;
}

/** Metrics say by which order they came about; where there are no checksums, those of another run show by that. */
function refuseOthersMetrics({ metrics, files }: RunAsRead): void {
  for (const { epoch, orderSha256, planSha256 } of metrics) {
    const name = orderFile(epoch, "json");
    if (!files.has(name)) continue;
    const plan = planOf(files, epoch);
    if (plan.orderSha256 === orderSha256 && plan.planSha256 === planSha256) continue;
    throw files.damaged(METRICS, damage(`line ${epoch + 1} is of another order than ${name}`));
  }
}

const configured = z.object({ epochs: z.number() });

/** In what a run that says that it came to its end lacks some of it. */
function lackOf({ document, metrics, timings }: RunAsRead): Unreadable | undefined {
  const { state, divergedAtStep, config, surroundings } = document;
  const has = (what: string) => damage(`it says ${state}, but ${what}`);
  if ((state === "diverged") !== (divergedAtStep !== undefined)) return has("names no step for it, or one too many");
  if (timings.length !== metrics.length)
    return has(`timings.jsonl has ${timings.length} epochs, metrics.jsonl ${metrics.length}`);
  if (state === "diverged") return undefined;
  const epochs = configured.safeParse(config).data?.epochs ?? metrics.length;
  if (metrics.length !== epochs) return has(`metrics.jsonl has ${metrics.length} of ${epochs} epochs`);
  const isTested = metrics.at(-1)?.test !== undefined || surroundings?.testCount === 0;
  return isTested ? undefined : has("its last epoch has no measurement on the test set");
}
