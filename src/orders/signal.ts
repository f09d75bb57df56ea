/** What orders by loss have in common in reading the ledger. */
import { EXTRA_SIGNALS, type ExtraSignal, type LedgerView } from "./contract.js";

/** The signals that samples can be ordered by. */
export const SIGNALS = ["loss", "mean-loss", ...EXTRA_SIGNALS] as const;
export type Signal = (typeof SIGNALS)[number];

/** What an order by this signal must declare: nothing for losses, which are always there. */
export function declaredFor(by: Signal): readonly ExtraSignal[] {
  return EXTRA_SIGNALS.filter((signal) => signal === by);
}

/**
 * The signal of each of `samples`, in their sequence; NaN where never seen. Of all samples it is the ledger's own column.
 * @throws Error where the ledger has no such column, because the order has not declared it.
 */
export function signalOf(ledger: LedgerView, by: Signal, samples: Readonly<Uint32Array>): Readonly<Float32Array> {
  const column = columnOf(ledger, by);
  if (column === undefined) throw new Error(`the ledger has no ${by}, expected one value a sample`);
  if (areAll(samples, column.length)) return column;
  const values = new Float32Array(samples.length);
  for (let i = 0; i < samples.length; i++) values[i] = column[samples[i]];
  return values;
}

/** Of distinct samples, whether they are all of n, in ascending sequence. */
function areAll(samples: Readonly<Uint32Array>, n: number): boolean {
  if (samples.length !== n) return false;
  for (let i = 0; i < n; i++) if (samples[i] !== i) return false;
  return true;
}

function columnOf(ledger: LedgerView, by: Signal): Readonly<Float32Array> | undefined {
  if (by === "loss") return ledger.loss;
  if (by === "mean-loss") return ledger.meanLoss;
  return ledger[by];
}

/** Whether there is anything to order by: a finite value at least once. */
export function isAnyKnown(values: Readonly<Float32Array>): boolean {
  return values.some((value) => Number.isFinite(value));
}
