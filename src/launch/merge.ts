/** Directories of one experiment, as shards or several machines wrote them, made into one: what `ibatch merge` does. */
import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { setImmediate } from "node:timers/promises";
import { Interrupted, usageError } from "../errors.js";
import { hasSome, joinSources, type Sources } from "../experiment/joined-sources.js";
import { inUse, readSource, type SourceRun } from "../experiment/merge-source.js";
import { type RecordedDataset, readDataset } from "../record/dataset-record.js";
import { type ExperimentDocument, recordedConfig } from "../record/experiment-document.js";
import { ExperimentRecord } from "../record/experiment-record.js";
import { copyLog, foreignIn, stageRun, sweepAside } from "../record/merge-files.js";
import { runDirectory } from "../record/run-places.js";
import { TUNING_RUNS } from "../record/tuning-record.js";
import { counted } from "../results/number-text.js";
import { refuseTrials } from "../results/recorded-results.js";
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
}

/**
 * Nothing is made before all that is named is known to fit together. Each run has its name there once it is whole: after
 * whatever ended it, the same call goes on.
 * @throws IbatchError where they do not fit, a command works in one of them, or the disk refuses; Interrupted.
 */
export async function merge(directories: readonly string[], options: MergeOptions): Promise<MergeResult> {
  const { out: directory, signal } = options;
  const sources = readSources(directories, directory);
  const record = openFor(joinSources(sources).document, directory);
  try {
    await takeIn(record, sources, signal);
    const made = await makeResultsOnRecord(record, { ...options, log: (line) => record.log(line) });
    return { directory, ...made };
  } finally {
    record.close();
  }
}

/** But for the one that gets all of it. */
function readSources(directories: readonly string[], out: string): Sources {
  const places = directories.map(placeOf);
  const twice = directories.find((_, at) => places.indexOf(places[at]) !== at);
  if (twice !== undefined) throw usageError(`${twice} is named twice: name each directory once`);
  const around = directories.find((_, at) => placeOf(out).startsWith(`${places[at]}${sep}`));
  if (around !== undefined) {
    throw usageError(`--out ${out} lies in ${around}, which merging does not change: name one that lies elsewhere`);
  }
  const sources = directories.filter((_, at) => places[at] !== placeOf(out)).map((directory) => readSource(directory));
  if (!hasSome(sources) || (sources.length === 1 && recordedConfig(out, sources[0].document.hash) === undefined)) {
    throw usageError(
      `there is nothing to merge ${directories[0]} with: name two directories or more, or with --out one that holds runs ` +
        "of this experiment",
    );
  }
  for (const source of sources) refuseTrials(source.directory, source);
  return sources;
}

/** Where links lead; what is not there, in what is. */
function placeOf(directory: string): string {
  if (existsSync(directory)) return realpathSync(directory);
  const whole = resolve(directory);
  return join(placeOf(dirname(whole)), basename(whole));
}

function openFor(
  { config: _, given: __, ...identity }: ExperimentDocument,
  directory: string,
  within?: ExperimentRecord,
) {
  return ExperimentRecord.open(directory, identity, { orders: "full", signals: "full" }, within);
}

/** Everything of them that is not there yet. Datasets and tuning come first: runs on record need them. */
async function takeIn(record: ExperimentRecord, sources: Sources, signal: AbortSignal): Promise<void> {
  const joined = joinSources(withOwn(record, sources));
  const { document, runs, trials, tuning } = joined;
  const missing = runs.filter(({ arm, seed, directory }) => directory !== runDirectory(record.directory, arm, seed));
  for (const { arm, seed } of missing) refuseForeign(runDirectory(record.directory, arm, seed));
  for (const run of missing) claim(record, run);
  for (const { arm, seed } of runs) sweepAside(runDirectory(record.directory, arm, seed));
  record.writeMergedDocument(document);
  if (hasSome(trials)) await takeInTrials(record, trials, signal);
  for (const dataset of datasetsOf(runs, sources)) record.writeDataset(dataset);
  if (tuning !== undefined) record.writeTuning(tuning, Object.keys(document.config.arms));
  for (const { directory } of sources) copyLog(directory, record.directory);
  for (const run of missing) {
    await setImmediate(); // signals are heard, and this command says that it lives
    if (signal.aborted) throw new Interrupted();
    copy(record, run);
  }
  if (missing.length > 0) {
    record.log(`merged ${counted(missing.length, "run")} from ${sources.map(({ directory }) => directory).join(", ")}`);
  }
}

/** What the directory holds already comes first. @throws IbatchError where another command works there. */
function withOwn(record: ExperimentRecord, sources: Sources): Sources {
  const [other] = record.others;
  if (other !== undefined) throw inUse(record.directory, other);
  const isNew = !record.isUnnamed && recordedConfig(record.directory, record.identity.hash) === undefined;
  return isNew ? sources : [readSource(record.directory, () => record.others), ...sources];
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

async function takeInTrials(record: ExperimentRecord, trials: Sources, signal: AbortSignal): Promise<void> {
  const inner = openFor(trials[0].document, join(record.directory, TUNING_RUNS), record);
  try {
    await takeIn(inner, trials, signal);
  } finally {
    inner.close();
  }
}

/** What the runs were trained on, of the first directory that has it. */
function datasetsOf(runs: readonly SourceRun[], sources: Sources): RecordedDataset[] {
  const hashes = new Set(runs.flatMap(({ document }) => document.surroundings?.dataSha256 ?? []));
  return [...hashes].flatMap((hash) => {
    for (const { directory } of sources) {
      const dataset = readDataset(directory, hash);
      if (dataset !== undefined) return [dataset];
    }
    return [];
  });
}

function copy(record: ExperimentRecord, { arm, seed, directory, stamp }: SourceRun): void {
  const putInPlace = stageRun(directory, stamp, runDirectory(record.directory, arm, seed));
  record.exclusively(putInPlace);
  record.release(arm, seed);
}
