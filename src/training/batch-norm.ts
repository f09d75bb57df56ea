/**
 * How far a network that normalises by batches depends on what stands together in one: the same samples under each
 * kind of statistics. Homogeneous batches can train a network that is right in such batches, and wrong on its own.
 */
import type { BatchNormMetrics, Measured } from "../record/epoch-metrics.js";
import { toMeasured } from "./measured.js";
import type { Plan } from "./plan.js";
import type { Evaluation, Session } from "./session.js";

/** Batch statistics of one sample say nothing. */
const LEAST_BATCH = 2;

export interface Compared {
  /** Of the test set, shuffled. */
  readonly test: Uint32Array;
  /** Of the training set, shuffled. */
  readonly calibration: Uint32Array;
  /** What the last epoch trained on. */
  readonly plan: Plan;
  /** Of evaluations. */
  readonly batchSize: number;
  /** Most samples of the arm's own batches that are looked at. */
  readonly mostSamples: number;
}

/** Both parts, each where there are samples enough. */
export async function compareStatistics(session: Session, compared: Compared): Promise<BatchNormMetrics> {
  const test = await compareOnTest(session, compared);
  const ownBatches = await compareInOwnBatches(session, compared);
  return { ...(test && { test }), ...(ownBatches && { ownBatches }) };
}

async function compareOnTest(session: Session, compared: Compared): Promise<BatchNormMetrics["test"]> {
  const { test: indices, calibration } = compared;
  if (indices.length < LEAST_BATCH || calibration.length < LEAST_BATCH) return undefined;
  const batchSize = Math.max(compared.batchSize, LEAST_BATCH);
  const samples = { part: "test", indices, batchSize } as const;
  return {
    running: await measure(session, { ...samples, norm: "running" }),
    batch: await measure(session, { ...samples, norm: "batch" }),
    reestimated: await measure(session, { ...samples, norm: "reestimated", calibration }),
  };
}

async function compareInOwnBatches(
  session: Session,
  { plan, mostSamples }: Compared,
): Promise<BatchNormMetrics["ownBatches"]> {
  const { indices, batchSize } = ownBatches(plan, mostSamples);
  if (indices.length === 0) return undefined;
  const samples = { part: "train", indices, batchSize } as const;
  return {
    running: await measure(session, { ...samples, norm: "running" }),
    batch: await measure(session, { ...samples, norm: "batch" }),
  };
}

const measure = async (session: Session, evaluation: Evaluation): Promise<Measured> =>
  toMeasured(await session.evaluate(evaluation));

/**
 * Whole batches of a plan, spread evenly over it: of those with the size that most of them have, as many as hold
 * `mostSamples`, but one at least. No indices where that size is 1.
 */
export function ownBatches(
  { indices, offsets }: Pick<Plan, "indices" | "offsets">,
  mostSamples: number,
): { readonly indices: Uint32Array; readonly batchSize: number } {
  const sizes = Array.from(offsets.subarray(1), (end, batch) => end - offsets[batch]);
  const batchSize = commonest(sizes);
  if (batchSize < LEAST_BATCH) return { indices: new Uint32Array(), batchSize };
  const starts = sizes.flatMap((size, batch) => (size === batchSize ? [offsets[batch]] : []));
  const count = Math.min(starts.length, Math.max(1, Math.floor(mostSamples / batchSize)));
  const chosen = new Uint32Array(count * batchSize);
  for (let at = 0; at < count; at++) {
    const start = starts[Math.floor((at * starts.length) / count)];
    chosen.set(indices.subarray(start, start + batchSize), at * batchSize);
  }
  return { indices: chosen, batchSize };
}

/** The value that comes most often, the largest of several such. */
function commonest(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const [first] = [...counts].sort(([a, countA], [b, countB]) => countB - countA || b - a);
  return first[0];
}
