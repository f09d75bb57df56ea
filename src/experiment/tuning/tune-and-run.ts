/** Each arm's learning rate, tuned before its own runs on a part of the training set, with as many trials as any other arm's. */
import { join } from "node:path";
import { determiningSettings, type ExperimentConfig, experimentHash } from "../../config/config.js";
import { withoutRate, withRate } from "../../config/tune.js";
import { IbatchError } from "../../errors.js";
import { ExperimentRecord } from "../../record/experiment-record.js";
import { TUNING_RUNS, type TunedArm, tunedOnRecord, writeTuning } from "../../record/tuning-record.js";
import { runArms } from "../experiment.js";
import type { ExperimentInputs } from "../experiment-inputs.js";
import type { ArmsRun } from "../run-result.js";
import { chooseRates } from "./choose-rates.js";
import { trialsOf } from "./trials.js";
import { startText, tunedText } from "./tuning-text.js";

export interface TunedRun extends ArmsRun {
  /** With the learning rates that were chosen. */
  readonly config: ExperimentConfig;
}

/**
 * As `runArms`, after learning rates are chosen where the config says so. An arm without one fails. Where the tuning was
 * stopped by what all runs would meet, nothing else is trained.
 */
export async function tuneAndRun(experiment: ExperimentInputs): Promise<TunedRun> {
  const { config, audience } = experiment;
  const { tune } = config;
  if (tune === undefined) return { config, ...(await runArms(experiment)) };
  const trials = trialsOf(config, tune);
  const [before, own] = [trials, config].map(countRuns);
  const total = before + own;
  const untuned = withRatesOnRecord(config, experiment.record.directory);
  const startsWith = (toDo: number) => {
    if (toDo > 0) audience.note(startText(tune, { trials: before, own }));
  };
  const among = { before: 0, total };
  const { results, stoppedBy } = await runTrials(
    { ...experiment, config: trials, among, accepted: startsWith },
    untuned,
  );
  if (stoppedBy !== undefined) return { config: untuned, results: [], stoppedBy };
  const tuned = chooseRates(config, tune, results);
  for (const arm of tuned.arms) audience.note(tunedText(arm, tune));
  const chosen = { ...experiment, config: withRates(config, tuned.arms), among: { before, total } };
  const accepted = () => writeTuning(experiment.record.directory, tuned); // not before: runs on record are of what it says
  return { config: chosen.config, ...(await runArms({ ...chosen, refused: refusals(tuned.arms), accepted })) };
}

/** With the learning rates that were chosen there. */
export const withRatesOnRecord = (config: ExperimentConfig, directory: string): ExperimentConfig =>
  withRates(config, tunedOnRecord(directory));

const countRuns = ({ arms, seeds }: ExperimentConfig): number => Object.keys(arms).length * seeds.length;

/** In a directory that is an experiment's, within that of the arms. `untuned`: what that is of, as far as it is known. */
async function runTrials(experiment: ExperimentInputs, untuned: ExperimentConfig): Promise<ArmsRun> {
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
