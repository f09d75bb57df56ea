import { random } from "../kernels/random.js";
import { shuffled } from "../kernels/shuffle.js";
import type { LedgerView } from "../orders/contract.js";
import { mapExtras } from "./sample-signals.js";

/**
 * The ledger with what is known of each eligible sample given to another one: a permutation that is a function of
 * (seed, epoch). How often each was drawn stays its own: that is no measurement of the model.
 */
export function permutedLedger(
  view: LedgerView,
  eligible: Readonly<Uint32Array>,
  seed: number,
  epoch: number,
): LedgerView {
  const from = shuffled(eligible, random(seed, "placebo", epoch));
  const permuted = <Column extends Float32Array | Int32Array | Uint8Array>(column: Readonly<Column>, out: Column) => {
    for (let at = 0; at < eligible.length; at++) out[eligible[at]] = column[from[at]];
    return out;
  };
  return {
    loss: permuted(view.loss, view.loss.slice()),
    meanLoss: permuted(view.meanLoss, view.meanLoss.slice()),
    seenAtStep: permuted(view.seenAtStep, view.seenAtStep.slice()),
    correct: permuted(view.correct, view.correct.slice()),
    draws: view.draws,
    ...mapExtras(view, (values) => permuted(values, values.slice())),
  };
}
