/** What commands ask for that work on one experiment, in one config. */
import type { ExperimentDocument } from "./experiment-document.js";

type Config = ExperimentDocument["config"];

/** As `here` says, and the arms, seeds and comparisons of `there` that it does not name. */
export function joinedConfigs(there: Config, here: Config): Config {
  const arms = { ...there.arms, ...here.arms };
  const seeds = [...new Set([...there.seeds, ...here.seeds])];
  const comparisons = [...(there.comparisons ?? []), ...(here.comparisons ?? [])].filter(
    (one, at, all) => at === all.findIndex((other) => other.arm === one.arm && other.with === one.with),
  );
  const baseline = here.baseline ?? there.baseline;
  return {
    ...here,
    arms,
    seeds,
    ...(baseline !== undefined && { baseline }),
    ...((there.comparisons ?? here.comparisons) && { comparisons }),
  };
}
