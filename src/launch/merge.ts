/** Directories of one experiment, as shards or several machines wrote them, made into one: what `ibatch merge` does. */
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { Interrupted, usageError } from "../errors.js";
import { inUse, type SourceRun } from "../experiment/merge-source.js";
import type { ExperimentDocument } from "../record/experiment-document.js";
import { ExperimentRecord } from "../record/experiment-record.js";
import { copyLog, foreignIn, runsStampOf, stageRun, sweepAside } from "../record/merge-files.js";
import { runDirectory } from "../record/run-places.js";
import { TUNING_RUNS } from "../record/tuning-record.js";
import { counted } from "../results/number-text.js";
import { type Gathered, gather, readSources } from "./gathered-sources.js";
import { makeResultsOnRecord, type ResultsMade } from "./results-on-record.js";

export interface MergeOptions {
  /** Run directory that gets all of it. What it holds of the experiment counts as one more of those that are merged. */
  readonly out: string;
  readonly python?: string | undefined;
  readonly signal: AbortSignal;
  onWarning(line: string): void;
}

export interface MergeResult extends ResultsMade {
  readonly directory: string;
  /** What was taken, and what there was none of: a line each. */
  readonly notes: readonly string[];
}

/**
 * Nothing is made before all that is named is known to fit together. Each run has its name there once it is whole: after
 * whatever ended it, the same call goes on.
 * @throws IbatchError where they do not fit, a command works in one of them, or the disk refuses; Interrupted.
 */
export async function merge(directories: readonly string[], options: MergeOptions): Promise<MergeResult> {
  const { out: directory, signal } = options;
  const stamp = runsStampOf(directory);
  const gathered = gather(readSources(directories, directory));
  const record = openFor(gathered.document, directory);
  try {
    refuseOthers(record);
    if (runsStampOf(directory) !== stamp)
      throw usageError(`${directory} was gone on with meanwhile: give the same command again`);
    const notes = await takeIn(record, gathered, signal);
    const made = await makeResultsOnRecord(record, { ...options, log: (line) => record.log(line) });
    return { directory, notes, ...made };
  } finally {
    record.close();
  }
}

function openFor(
  { config: _, given: __, ...identity }: ExperimentDocument,
  directory: string,
  within?: ExperimentRecord,
) {
  return ExperimentRecord.open(directory, identity, { orders: "full", signals: "full" }, within);
}

/** Everything of them that is not there yet. Datasets and tuning come first: runs on record need them. */
async function takeIn(record: ExperimentRecord, gathered: Gathered, signal: AbortSignal): Promise<string[]> {
  const { document, runs, tuning, tuningRuns, datasets, sources } = gathered;
  const missing = runs.filter(({ arm, seed, directory }) => directory !== runDirectory(record.directory, arm, seed));
  for (const { arm, seed } of missing) refuseForeign(runDirectory(record.directory, arm, seed));
  for (const run of missing) claim(record, run);
  for (const { arm, seed } of runs) sweepAside(runDirectory(record.directory, arm, seed));
  record.exclusively(() => {
    refuseOthers(record);
    record.writeMergedDocument(document);
  });
  const inner = tuningRuns && (await takeInTrials(record, tuningRuns, signal));
  for (const dataset of datasets) record.writeDataset(dataset);
  if (tuning !== undefined) record.writeTuning(tuning, Object.keys(document.config.arms));
  const named = sources.map(({ directory }) => directory).filter((directory) => directory !== record.directory);
  const lost = named.flatMap((directory) => copyLog(directory, record.directory) ?? []);
  for (const run of missing) {
    await setImmediate(); // signals are heard, and this command says that it lives
    if (signal.aborted) throw new Interrupted();
    copy(record, run);
  }
  const told = `merged ${counted(missing.length, "run")} from ${named.join(", ")}`;
  if (missing.length > 0) record.log(told);
  return [...(inner ?? []), `${told}${besides(missing, runs.length)}`, ...gathered.notes, ...lost];
}

/** " (1 of them unfinished); 3 were there already". */
function besides(missing: readonly SourceRun[], all: number): string {
  const unfinished = missing.filter(({ soFar }) => soFar !== undefined).length;
  const before = all - missing.length;
  const there = before === 1 ? "; 1 was there already" : `; ${before} were there already`;
  return (unfinished > 0 ? ` (${unfinished} unfinished)` : "") + (before > 0 ? there : "");
}

/** @throws IbatchError where another command works there: it knows nothing of what is merged. */
function refuseOthers(record: ExperimentRecord): void {
  const [other] = record.others;
  if (other !== undefined) throw inUse(record.directory, other);
}

/** Nothing of the user's goes. */
function refuseForeign(run: string): void {
  const file = foreignIn(run);
  if (file === undefined) return;
  throw usageError(
    `${join(run, file)} is none of our files, and another record of its run is to take the place of that directory: move it`,
  );
}

function claim(record: ExperimentRecord, { arm, seed }: SourceRun): void {
  const holder = record.claim(arm, seed);
  if (holder !== undefined) throw inUse(runDirectory(record.directory, arm, seed), holder);
}

async function takeInTrials(record: ExperimentRecord, trials: Gathered, signal: AbortSignal): Promise<string[]> {
  const inner = openFor(trials.document, join(record.directory, TUNING_RUNS), record);
  try {
    return await takeIn(inner, trials, signal);
  } finally {
    inner.close();
  }
}

function copy(record: ExperimentRecord, { arm, seed, directory, stamp }: SourceRun): void {
  const to = runDirectory(record.directory, arm, seed);
  const putInPlace = stageRun(directory, stamp, to);
  try {
    record.exclusively(() => {
      refuseOthers(record);
      putInPlace();
    });
  } finally {
    sweepAside(to);
  }
  record.release(arm, seed);
}
