/** What several directories of one experiment are together, and whether their runs may stand beside each other. */
import { usageError } from "../errors.js";
import { differences } from "../record/differences.js";
import type { ExperimentDocument } from "../record/experiment-document.js";
import { determiningOf } from "../record/experiment-files.js";
import { joinedConfigs, otherClaims } from "../record/joined-configs.js";
import type { TunedArm, TuningDocument } from "../record/tuning-record.js";
import { joinedRuns } from "./joined-runs.js";
import type { MergeSource, SourceRun } from "./merge-source.js";

export type Sources = readonly [MergeSource, ...MergeSource[]];

export interface JoinedSources {
  readonly document: ExperimentDocument;
  /** One of each run, of the first directory that has it; one that came to its end comes before one that did not. */
  readonly runs: readonly SourceRun[];
  readonly tuning: TuningDocument | undefined;
  /** Of the runs that learning rates were tuned by; none where there are none. */
  readonly trials: readonly MergeSource[];
}

/**
 * @throws IbatchError where directories are of different experiments, or claims are planned otherwise, an arm has other settings in one of them, runs were
 * made in surroundings that are not put together, or two of one run have other results.
 */
export function joinSources(sources: Sources): JoinedSources {
  for (const source of sources) refuseOtherExperiment(source, sources[0]);
  for (const source of sources) refuseOtherClaims(source, sources[0]);
  const runs = joinedRuns(sources.flatMap(({ runs }) => runs));
  const trials = sources.flatMap(({ trials }) => trials ?? []);
  return { document: joinedDocument(sources, runs), runs, tuning: joinedTuning(sources), trials };
}

export const hasSome = <T>(all: readonly T[]): all is readonly [T, ...T[]] => all.length > 0;

function refuseOtherExperiment({ directory, document }: MergeSource, first: MergeSource): void {
  if (document.hash === first.document.hash) return;
  const [here, there] = [document, first.document].map(({ config }) => determiningOf(config));
  const what = differences(here, there).replaceAll(" here", " in the other");
  throw usageError(
    `${directory} holds another experiment than ${first.directory} (${what}): name directories of one experiment alone`,
  );
}

/** Which of them counts would follow from the sequence in which directories are named. */
function refuseOtherClaims({ directory, document }: MergeSource, first: MergeSource): void {
  const found = otherClaims(first.document.config, document.config);
  if (found === undefined) return;
  const { key, one, other } = found;
  throw usageError(
    `${first.directory} has ${key}: ${one}, and ${directory} ${key}: ${other}: what is claimed of the runs must be planned ` +
      "alike; give the `ibatch run` of one of them again as the other has it, which trains nothing that is done, then merge",
  );
}

/** An arm's settings are those by which its runs were trained: a directory without them may not know its learning rate. */
function joinedDocument([first, ...others]: Sources, runs: readonly SourceRun[]): ExperimentDocument {
  const config = others.reduce((joined, { document }) => joinedConfigs(joined, document.config), first.document.config);
  const trainedBy = (arm: string) => {
    const place = runs.find((run) => run.arm === arm)?.directory;
    const source = [first, ...others].find((one) => one.runs.some((run) => run.directory === place));
    return source?.document.config.arms[arm];
  };
  const arms = Object.entries(config.arms).map(([arm, settings]) => [arm, trainedBy(arm) ?? settings] as const);
  const command =
    config.seeds.length > first.document.config.seeds.length
      ? withSeeds(first.document.command, config.seeds)
      : first.document.command;
  return { ...first.document, command, config: { ...config, arms: Object.fromEntries(arms) } };
}

/** What goes on with all that is merged, and not with the seeds of one of them alone; what a program did stays. */
const withSeeds = (command: string, seeds: readonly number[]): string =>
  command.includes(" run ") ? `${command.replace(/ --seeds[ =]\S+/, "")} --seeds ${seeds.join(",")}` : command;

/** @throws IbatchError where an arm's learning rate was tuned to another one in one of them. */
function joinedTuning(sources: Sources): TuningDocument | undefined {
  const all = sources.flatMap(({ directory, tuning }) =>
    tuning === undefined ? [] : [{ directory, document: tuning }],
  );
  if (!hasSome(all)) return undefined;
  const chosen: { readonly arm: TunedArm; readonly directory: string }[] = [];
  for (const { directory, document } of all) {
    for (const arm of document.arms) {
      const at = chosen.findIndex((other) => other.arm.arm === arm.arm);
      if (at < 0) chosen.push({ arm, directory });
      else if (chosen[at].arm.rate === null) chosen[at] = { arm, directory };
      else if (arm.rate !== null && arm.rate !== chosen[at].arm.rate) {
        throw usageError(
          `the learning rate of arm ${arm.arm} was tuned to ${chosen[at].arm.rate} in ${chosen[at].directory}, to ` +
            `${arm.rate} in ${directory}: only one of them can be merged`,
        );
      }
    }
  }
  return { ...all[0].document, arms: chosen.map(({ arm }) => arm) };
}
