/** Quantiles of a signal. */
import { type LossDistribution, QUANTILES } from "./data.js";

/** Of the finite values; NaN is a sample that was not drawn. Undefined where no value is finite. */
export function quantilesOf(values: Float32Array): Omit<LossDistribution, "epoch"> | undefined {
  const finite = values.filter(Number.isFinite).sort();
  if (finite.length === 0) return undefined;
  const { p05, p25, p50, p75, p95 } = QUANTILES;
  return {
    quantiles: {
      p05: quantile(finite, p05),
      p25: quantile(finite, p25),
      p50: quantile(finite, p50),
      p75: quantile(finite, p75),
      p95: quantile(finite, p95),
    },
    notFinite: values.reduce((count, value) => count + (Math.abs(value) === Number.POSITIVE_INFINITY ? 1 : 0), 0),
  };
}

/** Between neighbours in proportion, as numpy does by default. */
export function quantile(sorted: Float32Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}
