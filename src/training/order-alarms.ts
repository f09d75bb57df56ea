/** What an epoch's monitors show of an order that does nothing, or has collapsed: what undid earlier studies unseen. */
import type { EpochMetrics } from "../record/epoch-metrics.js";

/** Below this share of an epoch's samples, those that it was drawn from are few. */
const FEW = 0.05;
/** So far from 1 is a mean of float32 weights that are all 1, at most. */
const ROUNDING = 1e-6;

export const ORDER_ALARMS = ["few samples", "few likely", "weights of 1"] as const;
export type OrderAlarm = (typeof ORDER_ALARMS)[number];

/** After the first epoch, in which most orders know no losses yet. */
export function orderAlarms({
  epoch,
  samples,
  order,
}: Pick<EpochMetrics, "epoch" | "samples" | "order">): OrderAlarm[] {
  const { distinct, effectiveDataSize, effectiveSampleSize, meanWeight } = order;
  if (epoch === 0) return [];
  const isOne = (value: number) => Math.abs(value - 1) < ROUNDING;
  return [
    ...(distinct < FEW * samples ? (["few samples"] as const) : []),
    ...(effectiveDataSize !== undefined && effectiveDataSize < FEW * samples ? (["few likely"] as const) : []),
    ...(effectiveSampleSize !== undefined &&
    meanWeight !== undefined &&
    isOne(meanWeight) &&
    isOne(effectiveSampleSize / samples)
      ? (["weights of 1"] as const)
      : []),
  ];
}

/** As a person would say it; begins after the order's, or the arm's, name. */
export function orderAlarmText(alarm: OrderAlarm, { samples, order }: Pick<EpochMetrics, "samples" | "order">): string {
  const ofEpoch = samples.toLocaleString("en-US");
  switch (alarm) {
    case "few samples":
      return `has collapsed: only ${order.distinct.toLocaleString("en-US")} different samples among the ${ofEpoch} of an epoch`;
    case "few likely":
      return `has collapsed: drawn as if from ${(order.effectiveDataSize ?? 0).toFixed(1)} samples (1/Σp²), for ${ofEpoch} an epoch`;
    case "weights of 1":
      return "gives weights, and all of them are 1: they do nothing";
  }
}
