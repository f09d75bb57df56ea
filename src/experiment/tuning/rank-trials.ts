/** Which learning rate is the best of those that were tried, and whether another one may be as good: pure. */
import type { EpochMetrics } from "../../record/epoch-metrics.js";
import { MEASURE_KINDS, type MeasureKind } from "../../record/measure-kinds.js";
import { fromRecorded } from "../../record/number.js";
import type { Trial, TunedArm } from "../../record/tuning-record.js";

/** A trial, and what its runs reached in sum: of the answers wrong, so that lower is better for both. */
export interface Tried {
  readonly trial: Trial;
  readonly sums: Readonly<Record<MeasureKind, number>>;
}

/** `ends`: the last epoch of each run that is done. */
export function sumsOf(ends: readonly (EpochMetrics | undefined)[]): Tried["sums"] {
  const all = ends.flatMap((end) => end?.validation ?? []);
  // Shares of right answers are rounded, and so is each sum of them; counts are whole.
  const accuracy = all.reduce((sum, { accuracy, count }) => sum + count - Math.round(accuracy * count), 0);
  // From the lowest on: the same losses have the same sum, whichever seed has which.
  const losses = all.map(({ loss }) => fromRecorded(loss)).sort((a, b) => a - b);
  return { accuracy, loss: losses.reduce((sum, loss) => sum + loss, 0) };
}

/**
 * With the fewest runs that diverged, then the best mean of the others, then the best one by the other measure, then the
 * lowest. Undefined where all diverged.
 */
export function bestOf(tried: readonly Tried[], measure: MeasureKind): Trial | undefined {
  const kinds = [measure, ...MEASURE_KINDS.filter((kind) => kind !== measure)];
  const compare = (a: Tried, b: Tried): number =>
    a.trial.diverged - b.trial.diverged ||
    kinds.map((kind) => a.sums[kind] - b.sums[kind]).find((difference) => difference !== 0) ||
    a.trial.rate - b.trial.rate;
  return tried.filter(({ trial }) => trial.mean !== null).toSorted(compare)[0]?.trial;
}

/** What another choice of seeds to tune with may have chosen. */
export interface Rival {
  readonly rate: number;
  /** Between the two means. */
  readonly difference: number;
  /** Of the difference; null where there is one run each, which does not say. */
  readonly standardError: number | null;
}

/** So many standard errors or more between two means are taken for more than noise. */
const CLEAR = 2;

/** The second best rate, where its mean is within noise of the chosen one's. */
export function rivalOf({ rate, trials }: Pick<TunedArm, "rate" | "trials">, measure: MeasureKind): Rival | undefined {
  const chosen = trials.find((trial) => trial.rate === rate);
  if (chosen === undefined) return undefined;
  const rivals = trials.filter((trial) => trial !== chosen && trial.diverged === chosen.diverged);
  const [nearest] = rivals
    .flatMap((trial) => (trial.mean === null ? [] : [{ trial, difference: behind(chosen, trial.mean, measure) }]))
    .sort((a, b) => a.difference - b.difference);
  if (nearest === undefined) return undefined;
  const standardError = errorOf(chosen, nearest.trial);
  if (standardError !== null && nearest.difference > 0 && nearest.difference >= CLEAR * standardError) return undefined;
  return { rate: nearest.trial.rate, difference: nearest.difference, standardError };
}

function behind({ mean }: Trial, other: number, measure: MeasureKind): number {
  const best = mean ?? Number.NaN;
  return measure === "loss" ? other - best : best - other;
}

function errorOf(...trials: readonly Trial[]): number | null {
  const variances = trials.map(({ sd, values }) => {
    const done = values.filter(({ value }) => value !== null).length;
    return sd === null ? null : sd ** 2 / done;
  });
  return variances.includes(null) ? null : Math.sqrt(variances.reduce<number>((sum, one) => sum + (one ?? 0), 0));
}
