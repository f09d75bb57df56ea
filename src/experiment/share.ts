/** Which of an experiment's runs a command does: a share that follows from the config alone, whatever is on record. */
import type { ExperimentConfig } from "../config/config.js";

/** The `index`-th of `count` shares, from 0. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

export interface RunOfConfig {
  readonly arm: string;
  readonly seed: number;
}

export interface Share {
  readonly shard: Shard;
  /** How many runs the config has, and how many of them are in the share. */
  readonly of: number;
  readonly size: number;
  has(run: RunOfConfig): boolean;
}

/** As it is in a config, and on record. */
interface ToShare extends Pick<ExperimentConfig, "seeds"> {
  readonly arms: Readonly<Record<string, unknown>>;
  readonly tune?: unknown;
}

/**
 * Runs are dealt out arm by arm in the config's sequence, and within an arm seed by seed: the k-th one, from 0, is of the
 * share k mod N. So shares differ by one run at most, and so do those of each arm, however long it takes. Where learning
 * rates are tuned, whole arms are dealt out, each with its tuning: the runs of an arm need what is tuned by all its trials.
 */
export function shareOf({ arms, seeds, tune }: ToShare, shard: Shard): Share {
  const { index, count } = shard;
  const names = Object.keys(arms);
  const runs = names.flatMap((arm) => seeds.map((seed) => ({ arm, seed })));
  const numberOf = ({ arm }: RunOfConfig, at: number) => (tune === undefined ? at : names.indexOf(arm));
  const own = new Set(runs.filter((run, at) => numberOf(run, at) % count === index).map(keyOf));
  return { shard, of: runs.length, size: own.size, has: (run) => own.has(keyOf(run)) };
}

/** These alone, of however many. */
export function justThese(runs: readonly RunOfConfig[]): Pick<Share, "has"> {
  const those = new Set(runs.map(keyOf));
  return { has: (run) => those.has(keyOf(run)) };
}

const keyOf = ({ arm, seed }: RunOfConfig): string => `${arm}/${seed}`;

/** Runs of the config in the sequence of running, seed by seed; those of the share where there is one. */
export function runsOf(
  { arms, seeds }: Pick<ExperimentConfig, "arms" | "seeds">,
  share?: Pick<Share, "has">,
): RunOfConfig[] {
  const runs = seeds.flatMap((seed) => Object.keys(arms).map((arm) => ({ arm, seed })));
  return share === undefined ? runs : runs.filter((run) => share.has(run));
}
