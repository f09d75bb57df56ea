/**
 * What would have shown the mistakes of earlier studies at once, recorded of every order in every epoch: how many
 * different samples it draws, how unevenly, by how old losses, and how like the last epoch's order it is.
 */
import type { LedgerView, OrderResult } from "../orders/contract.js";
import type { OrderMonitors } from "../record/epoch-metrics.js";

export interface Monitored {
  readonly result: OrderResult;
  /** Samples in the dataset. */
  readonly n: number;
  readonly eligible: Readonly<Uint32Array>;
  /** As the order saw it; undefined for one that does not look. */
  readonly ledger: LedgerView | undefined;
  /** Optimiser steps before this epoch. */
  readonly step: number;
  /** The last epoch's indices; undefined in the first one. */
  readonly before: Readonly<Uint32Array> | undefined;
  /** Whether the order says with which probabilities it draws. */
  readonly knowsProbabilities: boolean;
}

export function monitorOrder(monitored: Monitored): OrderMonitors {
  const { result, n, eligible, ledger, step, before, knowsProbabilities } = monitored;
  const { indices, weights, inclusion, probabilities } = result;
  const age = ledger && meanAge(indices, ledger.seenAtStep, step);
  const correlation = before && rankCorrelation(before, indices, n);
  return {
    ...countDraws(indices, n),
    ...(knowsProbabilities && { effectiveDataSize: probabilities ? effectiveSize(probabilities) : eligible.length }),
    ...(inclusion && { meanInverseInclusion: meanInverse(inclusion, eligible.length) }),
    ...(weights && { effectiveSampleSize: effectiveSize(weights), meanWeight: mean(weights) }),
    ...(age !== undefined && { meanLossAgeSteps: age }),
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

/** (Σx)² / Σx² (Kish 1965): how many equal values would weigh as much; 1/Σp² for probabilities. */
export function effectiveSize(values: Readonly<Float32Array> | Readonly<Float64Array>): number {
  let sum = 0;
  let squares = 0;
  for (const value of values) {
    sum += value;
    squares += value * value;
  }
  return (sum * sum) / squares;
}

function mean(values: Readonly<Float32Array>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** Σ1/q over the samples drawn, as a share of all: estimates 1 without bias. */
function meanInverse(inclusion: Readonly<Float64Array>, eligibleCount: number): number {
  let sum = 0;
  for (const q of inclusion) sum += 1 / q;
  return sum / eligibleCount;
}

/** Steps since the losses of these samples were seen, in the mean; those never seen left out; undefined for none. */
function meanAge(indices: Readonly<Uint32Array>, seenAtStep: Readonly<Int32Array>, step: number): number | undefined {
  let sum = 0;
  let seen = 0;
  for (const index of indices) {
    if (seenAtStep[index] < 0) continue;
    sum += step - seenAtStep[index];
    seen += 1;
  }
  return seen === 0 ? undefined : sum / seen;
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
