/** What is measured after an epoch, and what its line in the record says. */
import type { BatchNormMetrics, EpochMetrics, EvaluatedParts } from "../record/epoch-metrics.js";
import { noiseDrawn } from "./label-noise.js";
import { measuredOf } from "./measured.js";
import type { PlannedEpoch } from "./planner.js";
import type { EpochUnderWay, RunState } from "./run-state.js";
import type { Training } from "./training.js";

type EvaluatedEpoch = EvaluatedParts & { readonly batchNorm?: BatchNormMetrics };

/** `averaged`: updates that are in the mean of the weights. */
export async function evaluate(
  { evaluator, listen }: Training,
  { epoch, plan }: PlannedEpoch,
  { isLast, averaged }: { readonly isLast: boolean; readonly averaged: number },
): Promise<EvaluatedEpoch> {
  if (!evaluator.isDue(epoch, isLast)) return {};
  const { evaluated, testPredictions } = await evaluator.look(averaged);
  listen({ type: "evaluated", epoch, testPredictions });
  const batchNorm = isLast ? await evaluator.compareStatistics(plan) : undefined;
  return { ...evaluated, ...(batchNorm && { batchNorm }) };
}

/** What an epoch was, and what was seen after it. */
interface EndedEpoch {
  readonly planned: PlannedEpoch;
  readonly evaluated: EvaluatedEpoch;
  readonly training: Pick<Training, "split" | "noise" | "classes">;
}

/** The state is that after the epoch. */
export function metricsOf(
  { step, ledger }: Pick<RunState, "step" | "ledger">,
  underWay: EpochUnderWay,
  { planned, evaluated, training: { split, noise, classes } }: EndedEpoch,
): EpochMetrics {
  const { epoch, plan, monitors, hashes } = planned;
  const { learningRates } = plan;
  return {
    ...{ epoch, step },
    batches: learningRates.length,
    samples: plan.indices.length,
    scored: underWay.scored,
    batchSize: batchSizeRange(plan.offsets),
    learningRate: { first: learningRates[0], last: learningRates[learningRates.length - 1] },
    train: measuredOf(underWay.tally),
    ...evaluated,
    ...(underWay.within && { within: Object.values(underWay.within) }),
    order: { ...monitors, ...classes.of(plan.indices, plan.offsets) },
    ...(noise && { labelNoise: noiseDrawn(ledger.draws, split.eligible, noise) }),
    ...hashes,
  };
}

function batchSizeRange(offsets: Readonly<Uint32Array>): EpochMetrics["batchSize"] {
  let smallest = Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let batch = 0; batch + 1 < offsets.length; batch++) {
    const size = offsets[batch + 1] - offsets[batch];
    smallest = Math.min(smallest, size);
    largest = Math.max(largest, size);
  }
  return { smallest, largest };
}
