/** All that directories hold which are to be merged, read and found to fit before anything is made of it. */
import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { IbatchError, usageError } from "../errors.js";
import { hasSome, type JoinedSources, joinSources, type Sources } from "../experiment/joined-sources.js";
import { type MergeSource, readSource, type SourceRun } from "../experiment/merge-source.js";
import { type RecordedDataset, readDataset } from "../record/dataset-record.js";
import type { ExperimentDocument } from "../record/experiment-document.js";
import { lyingIn } from "../record/merge-files.js";
import { refuseTrials } from "../results/recorded-results.js";

/** All that is to be there in the end. */
export interface Gathered extends JoinedSources {
  readonly sources: Sources;
  readonly datasets: readonly RecordedDataset[];
  readonly notes: readonly string[];
  /** Of the runs that learning rates were tuned by. */
  readonly tuningRuns: Gathered | undefined;
}

/** What the one that gets all of it holds already comes first. */
export function readSources(directories: readonly string[], out: string): Sources {
  const places = directories.map(placeOf);
  const twice = directories.find((_, at) => places.indexOf(places[at]) !== at);
  if (twice !== undefined) throw usageError(`${twice} is named twice: name each directory once`);
  const around = directories.find((_, at) => placeOf(out).startsWith(`${places[at]}${sep}`));
  if (around !== undefined) {
    throw usageError(`--out ${out} lies in ${around}, which merging does not change: name one that lies elsewhere`);
  }
  const sources = directories.filter((_, at) => places[at] !== placeOf(out)).map((directory) => readSource(directory));
  const own = hasSome(sources) ? ownSource(out, sources[0].document) : undefined;
  if (!hasSome(sources) || (sources.length === 1 && own === undefined)) {
    throw usageError(
      `there is nothing to merge ${directories[0]} with: name two directories or more, or with --out one that holds runs ` +
        "of this experiment",
    );
  }
  for (const source of sources) refuseTrials(source.directory, source);
  return own === undefined ? sources : [own, ...sources];
}

/** Undefined where it holds nothing yet, or what opening it refuses. `document`: of the others, where its own is lost. */
function ownSource(out: string, document: ExperimentDocument): MergeSource | undefined {
  const lying = lyingIn(out, document.hash);
  if (lying === "unnamed") return readSource(out, document);
  return lying === "named" ? readSource(out) : undefined;
}

/** Reads all but the runs themselves, so that nothing is made where any of it is damaged. */
export function gather(sources: Sources): Gathered {
  const joined = joinSources(sources);
  const found = datasetsOf(joined.runs, sources);
  return {
    ...joined,
    sources,
    datasets: found.flatMap(({ dataset }) => dataset ?? []),
    notes: found.flatMap(({ hash, dataset }) =>
      dataset === undefined
        ? [
            `no directory has names and labels of the data (SHA-256 ${hash.slice(0, 8)}): they are not in the merged one`,
          ]
        : [],
    ),
    tuningRuns: hasSome(joined.trials) ? gather(joined.trials) : undefined,
  };
}

/** Where links lead; what is not there, in what is. */
function placeOf(directory: string): string {
  if (existsSync(directory)) return realpathSync(directory);
  const whole = resolve(directory);
  return join(placeOf(dirname(whole)), basename(whole));
}

/** What the runs were trained on, of the first directory that has it whole. @throws IbatchError where it is damaged in all. */
function datasetsOf(runs: readonly SourceRun[], sources: Sources) {
  const hashes = new Set(runs.flatMap(({ document }) => document.surroundings?.dataSha256 ?? []));
  return [...hashes].map((hash) => {
    let damaged: IbatchError | undefined;
    for (const { directory } of sources) {
      try {
        const dataset = readDataset(directory, hash);
        if (dataset !== undefined) return { hash, dataset };
      } catch (error) {
        if (!(error instanceof IbatchError)) throw error;
        damaged ??= error;
      }
    }
    if (damaged !== undefined) throw damaged;
    return { hash, dataset: undefined };
  });
}
