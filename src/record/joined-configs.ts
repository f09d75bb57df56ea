/** What commands ask for that work on one experiment, in one config. */
import { comparisonsOf, type ExperimentDocument } from "./experiment-document.js";

type Config = ExperimentDocument["config"];

/** As `here` says, and the arms, seeds and comparisons of `there` that it does not name. */
export function joinedConfigs(there: Config, here: Config): Config {
  const arms = { ...there.arms, ...here.arms };
  const seeds = [...new Set([...there.seeds, ...here.seeds])];
  const baseline = here.baseline ?? there.baseline;
  return {
    ...here,
    arms,
    seeds,
    ...(baseline !== undefined && { baseline }),
    comparisons: joinedComparisons(there, here),
  };
}

/** Each pair of arms once, whichever of them is subtracted from the other: more would be corrected for twice. */
function joinedComparisons(there: Config, here: Config): ReturnType<typeof comparisonsOf> {
  const pairOf = (one: { readonly arm: string; readonly with: string }) => [one.arm, one.with].sort().join("/");
  const all = [...comparisonsOf(there), ...comparisonsOf(here)];
  return all.filter((one, at) => at === all.findIndex((other) => pairOf(other) === pairOf(one)));
}

/** What decides which claims are made, and is planned for all runs alike. */
const CLAIMS = ["primary", "targetAccuracy", "equivalenceMargin", "baseline"] as const;

/** The first of them in which two differ, as each says it. */
export function otherClaims(one: Config, other: Config) {
  const said = (config: Config, key: (typeof CLAIMS)[number]) =>
    JSON.stringify(config[key] ?? (key === "primary" ? "accuracy" : null));
  const key = CLAIMS.find((name) => said(one, name) !== said(other, name));
  return key && { key, one: said(one, key), other: said(other, key) };
}
