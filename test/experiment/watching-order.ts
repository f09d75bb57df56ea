// An order that keeps what it saw of the ledger, and takes the eligible samples in the file's sequence.
import { z } from "zod";
import { cut, defineOrder, EXTRA_SIGNALS, type LedgerView } from "../../src/orders/contract.js";

/** What it saw, a call each. */
export const seen: { epoch: number; step: number; ledger: LedgerView }[] = [];

export const watching = defineOrder({
  name: "watching",
  summary: "s",
  whenToChoose: "w",
  options: z.strictObject({
    reads: z.array(z.enum(EXTRA_SIGNALS)).default([]),
    weighted: z.boolean().default(false),
  }),
  readsLedger: true,
  deviation: "only looks",
  coverage: () => "each-once",
  signals: ({ reads }) => reads,
  changesObjective: ({ weighted }) => weighted,
  changesEachEpoch: () => false,
  dependsOnSeed: () => false,
  order({ eligible, epoch, step, ledger, size, options }) {
    seen.push({ epoch, step, ledger: structuredClone(ledger) });
    const indices = eligible.slice();
    const weights = Float32Array.from(indices, (index) => (1 + index + epoch) / 16);
    return { indices, offsets: cut(indices.length, size), ...(options.weighted && { weights }) };
  },
});
