/** The runs that learning rates are tuned by: an experiment of its own, in which an arm at a rate is an arm. */
import type { ExperimentConfig } from "../../config/config.js";
import { type Tune, tuningSeeds, withRate } from "../../config/tune.js";

/** A rate of 1e+21 has a sign that no directory may have. */
export const trialName = (arm: string, rate: number): string => `${arm}-lr${rate}`.replace("+", "");

export function trialsOf(config: ExperimentConfig, tune: Tune): ExperimentConfig {
  const { fixedSeeds, tune: _, ...others } = config; // seeds that are fixed are those under test
  const { perEpoch, averaged, ...evaluation } = config.evaluation; // the last one chooses
  const arms = Object.entries(config.arms).flatMap(([name, arm]) => {
    const dataset = { ...arm.dataset, heldOut: tune.validation };
    return tune.learningRate.map((rate) => [trialName(name, rate), { ...withRate(arm, rate), dataset }] as const);
  });
  return {
    ...others,
    name: `${config.name}-tuning`,
    seeds: tuningSeeds(tune),
    baseline: undefined,
    comparisons: [],
    evaluation: { ...evaluation, batchNormSample: 0 },
    record: { ...config.record, scoreAll: false, images: 0, signals: "last" },
    checkpoint: config.checkpoint && { ...config.checkpoint, final: false },
    base: { ...config.base, tune },
    arms: Object.fromEntries(arms),
  };
}
