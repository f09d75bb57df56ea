/** Each arm's learning rate, tuned before its own runs on a part of the training set, with as many trials as any other arm's. */
import { join } from "node:path";
import { determiningSettings, type ExperimentConfig, experimentHash } from "../../config/config.js";
import { withoutRate, withRate } from "../../config/tune.js";
import { IbatchError } from "../../errors.js";
import { ExperimentRecord } from "../../record/experiment-record.js";
import { TUNING_RUNS, type TunedArm, writeTuning } from "../../record/tuning-record.js";
import { type ArmsRun, runArms } from "../experiment.js";
import type { ExperimentInputs } from "../experiment-inputs.js";
import { chooseRates } from "./choose-rates.js";
import { startText, tunedText } from "./told.js";
import { trialsOf } from "./trials.js";

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
  audience.note(startText(tune, { trials: before, own }));
  const untuned = withRates(config, []);
  const among = { before: 0, total };
  const { results, stoppedBy } = await runTrials({ ...experiment, config: trials, among }, untuned);
  if (stoppedBy !== undefined) return { config: untuned, results: [], stoppedBy };
  const tuned = chooseRates(config, tune, results);
  writeTuning(experiment.record.directory, tuned);
  for (const arm of tuned.arms) audience.note(tunedText(arm, tune));
  const chosen = { ...experiment, config: withRates(config, tuned.arms), among: { before, total } };
  return { config: chosen.config, ...(await runArms({ ...chosen, refused: refusals(tuned.arms) })) };
}

const countRuns = ({ arms, seeds }: ExperimentConfig): number => Object.keys(arms).length * seeds.length;

/** In a directory that is an experiment's, within that of the arms. `untuned`: what that is of, as far as it is known. */
async function runTrials(experiment: ExperimentInputs, untuned: ExperimentConfig): Promise<ArmsRun> {
  const { config, record: outer } = experiment;
  const hash = experimentHash(config);
  const identity = { ...outer.identity, name: config.name, hash, determining: determiningSettings(config) };
  if (!outer.isUnnamed) outer.writeDocumentBeforeRuns(untuned); // first: it says whose these runs are
  const record = ExperimentRecord.open(join(outer.directory, TUNING_RUNS), identity, config.record);
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
