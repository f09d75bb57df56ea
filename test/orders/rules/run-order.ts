import { emptyLedger, type OrderInputs } from "../../../src/orders/context.js";
import type { LedgerView, OrderDefinition, OrderResult } from "../../../src/orders/contract.js";
import { declaredBy } from "../../../src/orders/declared.js";
import { findOrder } from "../../../src/orders/index.js";
import { orderedBy } from "../../../src/orders/ordered.js";

/** Eleven samples in classes of 5, 4 and 2, mixed: what the tests of single orders reckon by hand. */
export const LABELS = Uint32Array.of(0, 1, 0, 2, 1, 0, 1, 0, 2, 1, 0);
/** The samples of each class among `LABELS`. */
export const MEMBERS = [
  [0, 2, 5, 7, 10],
  [1, 4, 6, 9],
  [3, 8],
];

type Inputs = Partial<Omit<OrderInputs<unknown>, "options">> & { readonly options?: Record<string, unknown> };

/** Losses of the eleven samples, all different. From the highest: 3 6 1 9 4 8 10 0 7 5 2. */
export const LOSSES = [0.5, 2, 0.1, 3, 1, 0.2, 2.5, 0.3, 0.9, 1.5, 0.7];

/** A ledger with these losses; NaN is never seen. */
export function ledgerWith(losses: readonly number[]): LedgerView {
  const ledger = emptyLedger(losses.length);
  ledger.loss.set(losses);
  return ledger;
}

/** What the named order gives; for the eleven samples in batches of 3, seed 0, epoch 0, unless told. */
export function resultOf(name: string, inputs: Inputs = {}): OrderResult {
  const definition: OrderDefinition = findOrder(name);
  const options = definition.options.parse(inputs.options ?? {});
  const ordered = orderedBy(definition, declaredBy<unknown>(definition, options), {
    seed: 0,
    epoch: 0,
    labels: LABELS,
    classCount: 3,
    size: 3,
    ...inputs,
    options,
  });
  if ("fault" in ordered) throw new Error(JSON.stringify(ordered.fault));
  return ordered.result;
}

/** The batches that the named order makes, as `resultOf` does. */
export function batchesOf(name: string, inputs: Inputs = {}): number[][] {
  const { indices, offsets } = resultOf(name, inputs);
  return [...offsets.slice(1)].map((end, b) => [...indices.subarray(offsets[b], end)]);
}

/** The classes in each batch, e.g. ["000", "112"]. */
export function classesOf(batches: readonly number[][], labels: Readonly<Uint32Array> = LABELS): string[] {
  return batches.map((batch) => batch.map((index) => labels[index]).join(""));
}

/** All numbers of all batches, ascending. */
export function sorted(batches: readonly number[][]): number[] {
  return batches.flat().sort((a, b) => a - b);
}

/** How many of each class a batch has. */
export function countsOf(batch: readonly number[], labels: Readonly<Uint32Array>, classCount: number): number[] {
  const counts = Array<number>(classCount).fill(0);
  for (const index of batch) counts[labels[index]]++;
  return counts;
}

/** The batches on one line, e.g. "0,1,2 | 3,4,5 | 6". */
export function written(batches: readonly number[][]): string {
  return batches.map((batch) => batch.join()).join(" | ");
}
