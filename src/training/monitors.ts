/**
 * What would have shown the mistakes of earlier studies at once, recorded of every order in every epoch: how many
 * different samples it draws, how unevenly, by how old losses, and how like the last epoch's order it is.
 */
import type { LedgerView, OrderResult } from "../orders/contract.js";
import { effectiveSize } from "../orders/effective-size.js";
import type { OrderMonitors } from "../record/epoch-metrics.js";

/** What is added up over an epoch's batches, or at once over an order that makes them all. Plain numbers. */
export interface Watched {
  /** Results looked at: one for an epoch that was made at once. */
  results: number;
  /** Samples in them. */
  samples: number;
  /** Σ over results of 1/Σp². */
  effectiveDataSize: number;
  /** Results that say with which probability their samples were drawn, and Σ over those of Σ1/q ÷ eligible samples. */
  included: number;
  inverseInclusion: number;
  /** Results that have weights, Σw and Σw². */
  weighted: number;
  weight: number;
  weightSquared: number;
  /** Samples whose loss was seen before, and Σ of the steps since. */
  aged: number;
  age: number;
}

export const nothingWatched = (): Watched => ({
  ...{ results: 0, samples: 0, effectiveDataSize: 0, included: 0, inverseInclusion: 0 },
  ...{ weighted: 0, weight: 0, weightSquared: 0, aged: 0, age: 0 },
});

export interface Looked {
  readonly result: Omit<OrderResult, "offsets">;
  readonly eligibleCount: number;
  /** As the order saw it; undefined for one that does not look. */
  readonly ledger: LedgerView | undefined;
  /** Optimiser steps before it. */
  readonly step: number;
}

/** Adds what an order made, in time that grows with that alone. */
export function watch(watched: Watched, { result, eligibleCount, ledger, step }: Looked): void {
  const { indices, weights, inclusion, probabilities, effectiveDataSize } = result;
  watched.results += 1;
  watched.samples += indices.length;
  watched.effectiveDataSize += effectiveDataSize ?? (probabilities ? effectiveSize(probabilities) : eligibleCount);
  if (inclusion !== undefined) {
    watched.included += 1;
    watched.inverseInclusion += sumOf(inclusion, (q) => 1 / q) / eligibleCount;
  }
  if (weights !== undefined) {
    watched.weighted += 1;
    watched.weight += sumOf(weights, (weight) => weight);
    watched.weightSquared += sumOf(weights, (weight) => weight * weight);
  }
  if (ledger !== undefined) addAges(watched, indices, ledger.seenAtStep, step);
}

/** Steps since the losses of these samples were seen; those never seen are left out. */
function addAges(
  watched: Watched,
  indices: Readonly<Uint32Array>,
  seenAtStep: Readonly<Int32Array>,
  step: number,
): void {
  for (const index of indices) {
    if (seenAtStep[index] < 0) continue;
    watched.age += step - seenAtStep[index];
    watched.aged += 1;
  }
}

export interface Monitored {
  readonly indices: Readonly<Uint32Array>;
  /** Samples in the dataset. */
  readonly n: number;
  /** The last epoch's indices; undefined in the first one. */
  readonly before: Readonly<Uint32Array> | undefined;
  /** Whether the order says with which probabilities it draws. */
  readonly knowsProbabilities: boolean;
}

/** Of an epoch; of one that was decided batch by batch, sizes and inclusion are means over its batches. */
export function monitorsOf(watched: Watched, { indices, n, before, knowsProbabilities }: Monitored): OrderMonitors {
  const { results, samples, included, weighted, weight, weightSquared, aged, age } = watched;
  const correlation = before && rankCorrelation(before, indices, n);
  return {
    ...countDraws(indices, n),
    ...(knowsProbabilities && { effectiveDataSize: watched.effectiveDataSize / results }),
    ...(included > 0 && { meanInverseInclusion: watched.inverseInclusion / included }),
    ...(weighted > 0 && { effectiveSampleSize: weight ** 2 / weightSquared, meanWeight: weight / samples }),
    ...(aged > 0 && { meanLossAgeSteps: age / aged }),
    ...(correlation !== undefined && { rankCorrelation: correlation }),
  };
}

function countDraws(indices: Readonly<Uint32Array>, n: number): { distinct: number; mostDrawn: number } {
  const draws = new Uint32Array(n);
  let distinct = 0;
  let mostDrawn = 0;
  for (const index of indices) {
    draws[index] += 1;
    if (draws[index] === 1) distinct += 1;
    if (draws[index] > mostDrawn) mostDrawn = draws[index];
  }
  return { distinct, mostDrawn };
}

function sumOf(values: Readonly<Float32Array> | Readonly<Float64Array>, of: (value: number) => number): number {
  let sum = 0;
  for (const value of values) sum += of(value);
  return sum;
}

/**
 * Spearman's correlation of the places that samples have in two orders, over the samples that are in both; of one
 * that comes more than once its first place counts. Undefined for fewer than two such samples.
 */
export function rankCorrelation(a: Readonly<Uint32Array>, b: Readonly<Uint32Array>, n: number): number | undefined {
  const isIn = (order: Readonly<Uint32Array>) => {
    const is = new Uint8Array(n);
    for (const index of order) is[index] = 1;
    return is;
  };
  const placeInA = ranks(a, isIn(b));
  const placeInB = ranks(b, isIn(a));
  let common = 0;
  let squares = 0;
  for (let index = 0; index < n; index++) {
    if (placeInA[index] === 0) continue;
    common += 1;
    squares += (placeInA[index] - placeInB[index]) ** 2;
  }
  return common < 2 ? undefined : 1 - (6 * squares) / (common * (common * common - 1));
}

/** Rank from 1 of each sample among those of the order that are `wanted`, by first place; 0 for all others. */
function ranks(order: Readonly<Uint32Array>, wanted: Readonly<Uint8Array>): Float64Array {
  const rank = new Float64Array(wanted.length);
  let next = 1;
  for (const index of order) {
    if (wanted[index] === 1 && rank[index] === 0) rank[index] = next++;
  }
  return rank;
}
