/** The runs of several directories together: one of each, all of which may stand beside each other. */
import { usageError } from "../errors.js";
import { differences } from "../record/differences.js";
import { hashValue } from "../record/hash.js";
import { differingFile } from "../record/merge-files.js";
import type { SourceRun } from "./merge-source.js";
import { runText } from "./observer.js";
import { refuseSpelledAlike } from "./plan-runs.js";
import { type MadeIn, otherBeside } from "./surroundings.js";

/** @throws IbatchError where one cannot stand beside another, or two of one run have other results. */
export function joinedRuns(all: readonly SourceRun[]): SourceRun[] {
  const chosen = new Map<string, SourceRun>();
  const firstOf = new Map<string, SourceRun>();
  const beside = new Beside();
  for (const run of trainedOrAlike(all)) {
    const first = firstOf.get(run.arm);
    if (first === undefined) refuseSpelledAlike([run.arm], [...firstOf.values()]);
    else refuseOtherSettings(run, first);
    firstOf.set(run.arm, first ?? run);
    if (run.made !== undefined) beside.add(run.directory, run.made);
    const before = chosen.get(runText(run));
    if (before === undefined || isBetter(run, before)) chosen.set(runText(run), run);
  }
  return [...chosen.values()];
}

/** Without those that failed before they were trained, as for want of a learning rate, where the arm is another one by now. */
function trainedOrAlike(runs: readonly SourceRun[]): SourceRun[] {
  const isTrained = ({ document }: SourceRun) => document.surroundings !== undefined;
  const trained = new Map(runs.filter(isTrained).map((run) => [run.arm, run.document.configHash]));
  return runs.filter(
    (run) => isTrained(run) || (trained.get(run.arm) ?? run.document.configHash) === run.document.configHash,
  );
}

function refuseOtherSettings({ directory, document: { configHash, config } }: SourceRun, other: SourceRun): void {
  if (other.document.configHash === configHash) return;
  throw usageError(
    `${directory} and ${other.directory} are of one arm with other settings ` +
      `(${differences(other.document.config, config)}): one of them needs another name, and to be trained by it`,
  );
}

/** What runs were made in, each kind once: of thousands of runs each would look at all others. */
class Beside {
  readonly #kinds = new Map<string, MadeIn>();
  /** Their initial weights are compared, too. */
  readonly #ofSeed = new Map<number, MadeIn[]>();

  add(run: string, made: MadeIn): void {
    const ofSeed = this.#ofSeed.get(made.seed) ?? [];
    const difference = otherBeside(made, [...this.#kinds.values(), ...ofSeed]);
    if (difference !== undefined) {
      throw usageError(
        `${run} cannot stand beside ${difference.directory}, which ${difference.what}: merge what was made alike, each into ` +
          "a directory of its own, or train what is fewer again where the rest was made",
      );
    }
    const { arm, failedByItself = false, surroundings } = made;
    const { initialWeightsSha256: _, ...kind } = surroundings;
    this.#kinds.set(hashValue({ arm, failedByItself, ...kind }), made);
    this.#ofSeed.set(made.seed, [...ofSeed, made]);
  }
}

/** Whether the second of two records of one run is to be taken. @throws IbatchError where they are of other results. */
function isBetter(run: SourceRun, before: SourceRun): boolean {
  if (run.soFar === undefined && before.soFar === undefined) {
    const file = differingFile(before.directory, run.directory);
    if (file === undefined && run.document.state === before.document.state) return false;
    throw otherResults(run, before, file ?? "how they ended");
  }
  if (run.soFar === undefined || before.soFar === undefined) return run.soFar === undefined;
  const [now, then] = [run.soFar, before.soFar];
  const common = Math.min(now.metrics.length, then.metrics.length);
  const [here, there] = [now, then].map(({ metrics }) => JSON.stringify(metrics.slice(0, common)));
  if (here !== there) throw otherResults(run, before, "epochs that both have");
  return now.checkpoint === then.checkpoint
    ? now.metrics.length > then.metrics.length
    : now.checkpoint > then.checkpoint;
}

const otherResults = (run: SourceRun, before: SourceRun, what: string) =>
  usageError(
    `${before.directory} and ${run.directory} are both ${runText(run)}, and differ (${what}): remove the one that is not to ` +
      "be kept",
  );
