/** Which updates are counted into the mean of the weights that is evaluated beside the last ones. */
import type { Average } from "../backend/messages.js";
import type { BatchSource } from "./batch-source.js";
import { beforeEpoch, type RunState } from "./run-state.js";
import type { Training } from "./training.js";

type Batches = Pick<BatchSource, "offsets" | "samples" | "batches">;

/**
 * How the batches of the epoch under way are counted; null: none of them is, or a run that is cut has no evaluation. Keeps
 * in the state from which batch on, once that is known.
 */
export function averageIn(
  state: RunState,
  { config, length, mostBatches }: Pick<Training, "config" | "length" | "mostBatches">,
  source: Batches,
): Average | null {
  const { averaged } = config.evaluation;
  if (averaged === undefined || mostBatches !== undefined) return null;
  const { last, decay } = averaged;
  state.averagedFrom ??= last === undefined ? 0 : firstOfLast(last, state, length, source);
  return state.averagedFrom === undefined ? null : { fromStep: state.averagedFrom, decay: decay ?? null };
}

/** Updates that are in the mean after those before this step. */
export const averagedUpdates = ({ averagedFrom }: Pick<RunState, "averagedFrom">, step: number): number =>
  averagedFrom === undefined ? 0 : Math.max(0, step - averagedFrom);

/** For sums of shares that miss a limit by rounding. */
const ROUNDING = 1e-9;

/**
 * The first batch of the epoch that ends in the last such share of the run; the run's last batch does in any case. Undefined
 * where none does.
 */
function firstOfLast(share: number, state: RunState, length: Training["length"], source: Batches): number | undefined {
  const before = beforeEpoch(state);
  for (let batches = 1; batches <= source.batches; batches++) {
    const done = { samples: source.offsets[batches], batches };
    const isCounted = length.progress(before, done, source.samples) > 1 - share + ROUNDING;
    if (isCounted || (batches === source.batches && length.isLast(before, source))) return before.step + batches - 1;
  }
  return undefined;
}
