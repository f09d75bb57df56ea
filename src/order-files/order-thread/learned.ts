/** What a ledger has learned since the last batch goes into an order's thread, and not the whole of it. */
import { emptyLedger } from "../../orders/context.js";
import { EXTRA_SIGNALS, type LedgerView } from "../../orders/contract.js";

/** One that learns: its arrays are its own. */
export type OwnLedger = ReturnType<typeof emptyLedger>;

const COLUMNS = ["loss", "meanLoss", "seenAtStep", "correct", "draws", ...EXTRA_SIGNALS] as const;

/** What it has of these samples, in their sequence. */
export function valuesOf(ledger: LedgerView, samples: Readonly<Uint32Array>): OwnLedger {
  const values = emptyLedger(samples.length, signalsOf(ledger));
  for (const name of COLUMNS) {
    const [column, taken] = [ledger[name], values[name]];
    if (column === undefined || taken === undefined) continue;
    for (let at = 0; at < samples.length; at++) taken[at] = column[samples[at]];
  }
  return values;
}

/** Takes such values over. */
export function learn(ledger: OwnLedger, samples: Readonly<Uint32Array>, values: LedgerView): void {
  for (const name of COLUMNS) {
    const [column, taken] = [ledger[name], values[name]];
    if (column === undefined || taken === undefined) continue;
    for (let at = 0; at < samples.length; at++) column[samples[at]] = taken[at];
  }
}

export function ownLedger(ledger: LedgerView): OwnLedger {
  const own = emptyLedger(ledger.loss.length, signalsOf(ledger));
  for (const name of COLUMNS) {
    const values = ledger[name];
    if (values !== undefined) own[name]?.set(values);
  }
  return own;
}

const signalsOf = (ledger: LedgerView) => EXTRA_SIGNALS.filter((signal) => ledger[signal] !== undefined);
