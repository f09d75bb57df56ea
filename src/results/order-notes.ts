/** Orders that did nothing, or collapsed, as a reader of the findings must know. */

import type { ClassMonitors, EpochMetrics } from "../record/epoch-metrics.js";
import { hashValue } from "../record/hash.js";
import { ORDER_ALARMS, orderAlarms, orderAlarmText } from "../training/order-alarms.js";
import type { TimedRun } from "./recorded-experiment.js";

/**
 * The last epoch that shows what the order does: not one that is shuffled to end on, nor what a budget left of one, where
 * there is another.
 */
function tellingEpoch({ state, metrics, document }: TimedRun): EpochMetrics | undefined {
  const { epochs, order } = document?.config ?? {};
  const hasEnded = state === "done" || metrics.length === epochs;
  const own = order?.shuffledLastEpoch && hasEnded ? metrics.slice(0, -1) : metrics;
  const [before, last] = [own.at(-2), own.at(-1)];
  const hasBudget = document !== undefined && epochs === undefined;
  const isRest = hasBudget && before && last && last.samples < before.samples;
  return isRest && before.epoch > 0 ? before : last; // in the first epoch most orders know no losses yet
}

const armsOf = (runs: readonly TimedRun[]): string[] => [...new Set(runs.map(({ arm }) => arm))];

/** Of each arm, what the last telling epoch of its runs shows. */
export function orderNotes(runs: readonly TimedRun[]): string[] {
  return armsOf(runs).flatMap((arm) => {
    const ends = runs.filter((run) => run.arm === arm).flatMap((run) => tellingEpoch(run) ?? []);
    return ORDER_ALARMS.flatMap((alarm) => {
      const alarming = ends.filter((end) => orderAlarms(end).includes(alarm));
      const [first] = alarming;
      if (first === undefined) return [];
      const where = alarming.length === ends.length ? "" : ` (in ${alarming.length} of ${ends.length} runs)`;
      return [`The order of ${arm} ${orderAlarmText(alarm, first)}${where}`];
    });
  });
}

/**
 * From so far on, as a share of what chance gives, batches are mixed otherwise than by chance: five standard deviations of
 * the mean over so many, for that of one is some 40 %.
 */
const otherwiseMixed = (batches: number): number => Math.max(0.2, 2 / Math.sqrt(batches));

/** Arms whose batches are purer or more even in classes than chance makes them, in the mean over their runs' last telling epochs. */
export function mixtureNotes(runs: readonly TimedRun[]): string[] {
  return armsOf(runs).flatMap((arm) => {
    const ends = runs.filter((run) => run.arm === arm).flatMap((run) => tellingEpoch(run) ?? []);
    const batches = ends.reduce((sum, end) => sum + end.batches, 0);
    const of = (key: keyof ClassMonitors) => meanOf(ends.flatMap(({ order }) => order[key] ?? []));
    const [distance, byChance] = [of("classDistance"), of("classDistanceByChance")];
    if (!(Math.abs(distance - byChance) > otherwiseMixed(batches) * byChance)) return [];
    const classes = `${of("classesPerBatch").toFixed(1)} classes in each, by chance ${of("classesPerBatchByChance").toFixed(1)}`;
    const apart = `${distance.toFixed(3)} from the whole's shares, by chance ${byChance.toFixed(3)}`;
    return [
      `Batches of ${arm} are ${distance > byChance ? "purer" : "more even"} in classes than chance makes them: ${classes}; ${apart}`,
    ];
  });
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Arms whose orders are not the same by their config, and drew the same in every epoch of every seed that they have in common. */
export function equalOrderNotes(runs: readonly TimedRun[]): string[] {
  const arms = armsOf(runs);
  const groups: { readonly arms: Set<string>; readonly when: string }[] = [];
  for (const [at, arm] of arms.entries()) {
    for (const other of arms.slice(at + 1)) {
      const pairs = pairsOf(runs, arm, other);
      if (pairs.length === 0 || !pairs.every(([a, b]) => isOtherOrder(a, b) && drewTheSame(a, b))) continue;
      const epochs = Math.max(...pairs.map(([{ metrics }]) => metrics.length));
      const when = epochs > 1 ? "in every epoch: their orders do the same" : IN_ONE_EPOCH;
      const group = groups.find((one) => one.when === when && (one.arms.has(arm) || one.arms.has(other)));
      if (group === undefined) groups.push({ arms: new Set([arm, other]), when });
      else group.arms.add(arm).add(other);
    }
  }
  return groups.map((group) => {
    const names = arms.filter((arm) => group.arms.has(arm));
    return `${names.slice(0, -1).join(", ")} and ${names.at(-1)} drew the same samples in the same sequence ${group.when}`;
  });
}

/** Their runs of each seed that both have. */
const pairsOf = (runs: readonly TimedRun[], arm: string, other: string): (readonly [TimedRun, TimedRun])[] =>
  runs
    .filter((run) => run.arm === arm)
    .flatMap((run) => {
      const counterpart = runs.find((one) => one.arm === other && one.seed === run.seed);
      return counterpart === undefined ? [] : [[run, counterpart] as const];
    });

const IN_ONE_EPOCH = "in the one epoch that there is: before it most orders have no losses to order by";

const isOtherOrder = (a: TimedRun, b: TimedRun): boolean => {
  const orders = [a, b].map(({ document }) => document?.config.order);
  if (orders.some((one) => one?.replay !== undefined)) return false; // to do the same is what it is for
  const [order, other] = orders.map((one) => one && hashValue(one));
  return order !== undefined && other !== undefined && order !== other;
};

const drewTheSame = (a: TimedRun, b: TimedRun): boolean =>
  a.metrics.length > 0 &&
  a.metrics.length === b.metrics.length &&
  a.metrics.every((line, epoch) => isOneDraw(line, b.metrics[epoch]));

/** The same samples, and what is seen of their weights is the same. */
const isOneDraw = (a: EpochMetrics, b: EpochMetrics): boolean =>
  a.orderSha256 === b.orderSha256 &&
  a.order.meanWeight === b.order.meanWeight &&
  a.order.effectiveSampleSize === b.order.effectiveSampleSize;
