/** Each arm's learning rate, tuned before its own runs on a part of the training set, with as many trials as any other arm's. */
import { join } from "node:path";
import { determiningSettings, type ExperimentConfig, experimentHash } from "../../config/config.js";
import { withoutRate, withRate } from "../../config/tune.js";
import { IbatchError, usageError } from "../../errors.js";
import { ExperimentRecord } from "../../record/experiment-record.js";
import { TUNING_RUNS, type TunedArm, tunedOnRecord } from "../../record/tuning-record.js";
import { type HeldRun, leftToOthers } from "../claims.js";
import { type ArmsRunHere, runArms } from "../experiment.js";
import type { ExperimentInputs } from "../experiment-inputs.js";
import { runsOf, type Share } from "../share.js";
import { chooseRates } from "./choose-rates.js";
import { trialsOf } from "./trials.js";
import { startText, tunedText } from "./tuning-text.js";

export interface TunedRun extends ArmsRunHere {
  /** With the learning rates that were chosen. */
  readonly config: ExperimentConfig;
}

/**
 * As `runArms`, after learning rates are chosen where the config says so. An arm without one fails. Where the tuning was
 * stopped by what all runs would meet, nothing else is trained.
 */
export async function tuneAndRun(experiment: ExperimentInputs): Promise<TunedRun> {
  const { config, audience, share } = experiment;
  const { tune } = config;
  if (tune === undefined) return { config, ...(await runArms(experiment)) };
  const { directory } = experiment.record;
  const ofShare = { ...config, arms: armsOf(config, share) };
  const trials = trialsOf(ofShare, tune);
  const [before, own] = [runsOf(trials).length, runsOf(config, share).length];
  const total = before + own;
  const untuned = withRatesOnRecord(config, directory);
  const startsWith = (toDo: number) => {
    if (toDo > 0) audience.note(startText(tune, { trials: before, own }));
  };
  const among = { before: 0, total };
  const { results, stoppedBy, givenUp, held } = await runTrials(
    { ...experiment, config: trials, share: undefined, among, accepted: startsWith },
    untuned,
  );
  if (stoppedBy !== undefined) return { config: untuned, results: [], stoppedBy, givenUp, held };
  if (held.length > 0) throw tunedElsewhere(directory, held);
  const tuned = chooseRates(ofShare, tune, results);
  for (const arm of tuned.arms) audience.note(tunedText(arm, tune));
  const known = [...tuned.arms, ...tunedOnRecord(directory)]; // arms of other shards, too: the first one counts
  const chosen = { ...experiment, config: withRates(config, known), among: { before, total } };
  const accepted = () => experiment.record.writeTuning(tuned, Object.keys(config.arms)); // not before: runs on record are of what it says
  const run = await runArms({ ...chosen, refused: refusals(tuned.arms), accepted });
  return { config: chosen.config, ...run, givenUp: [...new Set([...givenUp, ...run.givenUp])] };
}

/** With the learning rates that were chosen there. */
export const withRatesOnRecord = (config: ExperimentConfig, directory: string): ExperimentConfig =>
  withRates(config, tunedOnRecord(directory));

/** Those that have runs in the share. */
function armsOf(config: ExperimentConfig, share: Pick<Share, "has"> | undefined): ExperimentConfig["arms"] {
  const names = new Set(runsOf(config, share).map(({ arm }) => arm));
  return Object.fromEntries(Object.entries(config.arms).filter(([name]) => names.has(name)));
}

/** Its own runs may be done there, too: nothing can be chosen before. */
const tunedElsewhere = (directory: string, held: readonly HeldRun[]): IbatchError =>
  usageError(
    `${directory}: learning rates are chosen by all runs of the tuning, and ${leftToOthers(held).join("; ")}: give this ` +
      "command again when they have ended",
  );

/** In a directory that is an experiment's, within that of the arms. `untuned`: what that is of, as far as it is known. */
async function runTrials(experiment: ExperimentInputs, untuned: ExperimentConfig): Promise<ArmsRunHere> {
  const { config, record: outer } = experiment;
  const hash = experimentHash(config);
  const identity = { ...outer.identity, name: config.name, hash, determining: determiningSettings(config) };
  if (!outer.isUnnamed) outer.writeDocumentBeforeRuns(untuned); // it says whose these runs are
  const record = ExperimentRecord.open(join(outer.directory, TUNING_RUNS), identity, config.record, outer);
  try {
    return await runArms({ ...experiment, record });
  } finally {
    record.close();
  }
}

/** Arms of which nothing is chosen have none. */
const withRates = (config: ExperimentConfig, tuned: readonly TunedArm[]): ExperimentConfig => ({
  ...config,
  arms: Object.fromEntries(
    Object.entries(config.arms).map(([name, arm]) => {
      const rate = tuned.find((one) => one.arm === name)?.rate ?? null;
      return [name, rate === null ? withoutRate(arm) : withRate(arm, rate)];
    }),
  ),
});

const refusals = (tuned: readonly TunedArm[]): ReadonlyMap<string, IbatchError> =>
  new Map(tuned.flatMap(({ arm, lack }) => (lack === undefined ? [] : [[arm, new IbatchError("run", lack)] as const])));
