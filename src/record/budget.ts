/** What a run's length is counted in, where that is a budget. */
import { BACKWARD_IN_FORWARDS } from "./work.js";

/** What each kind of budget counts. */
export const PRICES = {
  updates: { perSample: 0, perBatch: 1, perScored: 0 },
  samples: { perSample: 1, perBatch: 0, perScored: 0 },
  forwardEquivalents: { perSample: 1 + BACKWARD_IN_FORWARDS, perBatch: 0, perScored: 1 },
} as const;

export interface Budget {
  readonly kind: keyof typeof PRICES;
  readonly amount: number;
}

/** As a config says it; undefined where it says none, or one of epochs. */
export function budgetOf(said: { readonly [kind in Budget["kind"]]?: number | undefined } = {}): Budget | undefined {
  for (const kind of ["updates", "samples", "forwardEquivalents"] as const) {
    const amount = said[kind];
    if (amount !== undefined) return { kind, amount };
  }
  return undefined;
}
