/** Orders that did nothing, or collapsed, as a reader of the findings must know. */

import type { EpochMetrics } from "../record/epoch-metrics.js";
import { hashValue } from "../record/hash.js";
import { ORDER_ALARMS, orderAlarms, orderAlarmText } from "../training/order-alarms.js";
import type { TimedRun } from "./recorded-experiment.js";

interface Ordered extends TimedRun {
  /** Absent where it is not read. */
  readonly document?: { readonly config: { readonly order: { readonly name: string; readonly replay?: unknown } } };
}

/** Of each arm, what the last recorded epoch of its runs shows. */
export function orderNotes(runs: readonly TimedRun[]): string[] {
  const arms = [...new Set(runs.map(({ arm }) => arm))];
  return arms.flatMap((arm) => {
    const ends = runs.filter((run) => run.arm === arm).flatMap(({ metrics }) => metrics.at(-1) ?? []);
    return ORDER_ALARMS.flatMap((alarm) => {
      const alarming = ends.filter((end) => orderAlarms(end).includes(alarm));
      const [first] = alarming;
      if (first === undefined) return [];
      const where = alarming.length === ends.length ? "" : ` (in ${alarming.length} of ${ends.length} runs)`;
      return [`The order of ${arm} ${orderAlarmText(alarm, first)}${where}`];
    });
  });
}

/** Arms whose orders are not the same by their config, and drew the same in every epoch of every seed that both have. */
export function equalOrderNotes(runs: readonly Ordered[]): string[] {
  const arms = [...new Set(runs.map(({ arm }) => arm))];
  return arms.flatMap((arm, at) =>
    arms.slice(at + 1).flatMap((other) => {
      const pairs = runs
        .filter((run) => run.arm === arm)
        .flatMap((run) => {
          const counterpart = runs.find((one) => one.arm === other && one.seed === run.seed);
          return counterpart === undefined ? [] : [[run, counterpart] as const];
        });
      const areEqual = pairs.length > 0 && pairs.every(([a, b]) => isOtherOrder(a, b) && drewTheSame(a, b));
      return areEqual
        ? [`${arm} and ${other} drew the same samples in the same sequence in every epoch: their orders do the same`]
        : [];
    }),
  );
}

const isOtherOrder = (a: Ordered, b: Ordered): boolean => {
  const orders = [a, b].map(({ document }) => document?.config.order);
  if (orders.some((one) => one?.replay !== undefined)) return false; // to do the same is what it is for
  const [order, other] = orders.map((one) => one && hashValue(one));
  return order !== undefined && other !== undefined && order !== other;
};

const drewTheSame = (a: TimedRun, b: TimedRun): boolean =>
  a.metrics.length > 1 &&
  a.metrics.length === b.metrics.length &&
  a.metrics.every((line, epoch) => isOneDraw(line, b.metrics[epoch]));

/** The same samples, and what is seen of their weights is the same. */
const isOneDraw = (a: EpochMetrics, b: EpochMetrics): boolean =>
  a.orderSha256 === b.orderSha256 &&
  a.order.meanWeight === b.order.meanWeight &&
  a.order.effectiveSampleSize === b.order.effectiveSampleSize;
