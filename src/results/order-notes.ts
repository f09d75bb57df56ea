/** Orders that did nothing, or collapsed, as a reader of the findings must know. */

import { hashValue } from "../record/hash.js";
import { ORDER_ALARMS, orderAlarms, orderAlarmText } from "../training/order-alarms.js";
import type { TimedRun } from "./recorded-experiment.js";

interface Ordered extends TimedRun {
  /** Absent where it is not read. */
  readonly document?: { readonly config: { readonly order: unknown } };
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
  const [order, other] = [a, b].map(({ document }) => document && hashValue(document.config.order));
  return order !== undefined && other !== undefined && order !== other;
};

const drewTheSame = (a: TimedRun, b: TimedRun): boolean =>
  a.metrics.length > 1 &&
  a.metrics.length === b.metrics.length &&
  a.metrics.every(({ orderSha256 }, epoch) => orderSha256 === b.metrics[epoch].orderSha256);
