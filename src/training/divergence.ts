/** Losses that are not finite: where a run ends. */

import type { EvaluatedParts } from "../record/epoch-metrics.js";
import { fromRecorded } from "../record/number.js";
import { firstSignals } from "./sample-signals.js";
import type { TrainedOn } from "./session.js";

/**
 * What a chunk gave up to the first batch with a loss that is not finite, that batch included. What was trained on
 * behind it is left out, so that records do not depend on how many batches a chunk holds.
 */
export function cutAtDivergence(trained: TrainedOn): { trained: TrainedOn; divergedAtStep?: number } {
  const { chunk, signals } = trained;
  const bad = signals.loss.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return { trained };
  const batch = chunk.offsets.findLastIndex((offset) => offset <= bad);
  const end = chunk.offsets[batch + 1];
  const cut = {
    firstStep: chunk.firstStep,
    indices: chunk.indices.subarray(0, end),
    offsets: chunk.offsets.subarray(0, batch + 2),
    learningRates: chunk.learningRates.subarray(0, batch + 1),
    weights: chunk.weights?.subarray(0, end),
  };
  return {
    trained: { chunk: cut, signals: firstSignals(signals, end), isStopped: trained.isStopped },
    divergedAtStep: chunk.firstStep + batch,
  };
}

/** Whether any sample that was evaluated has a loss that is not finite: their mean is not, then. */
export const hasDiverged = ({ test, validation, trainSample }: Omit<EvaluatedParts, "averaged">): boolean =>
  [test, validation, trainSample].some((part) => part !== undefined && !Number.isFinite(fromRecorded(part.loss)));
