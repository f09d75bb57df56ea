/** At which learning rate an arm is compared that has a tuned one. */
import type { ExperimentConfig } from "../config/config.js";
import { withRatesOnRecord } from "../experiment/tuning/tune-and-run.js";

export interface ComparedRate {
  /** As it is to be recorded: an arm has a rate where one was chosen. */
  readonly recorded: ExperimentConfig;
  /** In which the arm has one in any case. */
  readonly compared: ExperimentConfig;
  /** A line for a person; undefined where rates are as the config says. */
  readonly says: string | undefined;
}

/** `directory`: the experiment's. */
export function comparedRate(config: ExperimentConfig, arm: string, directory: string): ComparedRate {
  if (config.tune === undefined) return { recorded: config, compared: config, says: undefined };
  const recorded = withRatesOnRecord(config, directory);
  const rateOf = ({ arms }: ExperimentConfig) => arms[arm].schedule.options.learningRate;
  const isTuned = rateOf(recorded) !== undefined;
  const compared = isTuned ? recorded : config;
  const why = isTuned
    ? "to which it is tuned"
    : `the lowest of tune.learningRate, for none is chosen in ${directory} yet: \`ibatch run\` tunes it`;
  return { recorded, compared, says: `arm ${arm} is compared at the learning rate ${rateOf(compared)}, ${why}` };
}
