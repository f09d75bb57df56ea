/** What an order returns, taken over as soon as it returns it: arrays of its own making may be changed later. */
import { concatenated } from "../kernels/concatenated.js";
import { batchContext, type OrderInputs, orderContext } from "./context.js";
import type { BatchContext, Drawn, OrderDefinition, OrderResult } from "./contract.js";
import type { Declared } from "./declared.js";
import { EpochOfBatches } from "./epoch-of-batches.js";
import { sampleSize } from "./fraction.js";
import { type ResultFault, typeFault } from "./result-check.js";

/** A copy of the result; or, where it breaks a law that must hold before it is read, which one. */
export type Ordered = { readonly result: OrderResult } | { readonly fault: ResultFault };

/**
 * Asks an order for an epoch; one that decides each batch for batch after batch, with nothing learned between them.
 * Throws what it throws.
 */
export function orderedBy<Options>(
  definition: OrderDefinition<Options>,
  declared: Pick<Declared, "eachBatch" | "coverage" | "epochShare">,
  inputs: OrderInputs<Options>,
): Ordered {
  if (definition.order === undefined || declared.eachBatch) return batchesOf(definition, declared, inputs);
  return taken(definition.order(orderContext(inputs)));
}

/** Asks an order that decides each batch for one. Throws what it throws. */
export function batchBy<Options>(definition: OrderDefinition<Options>, context: BatchContext<Options>): Ordered {
  if (definition.nextBatch === undefined) throw new Error(`order ${definition.name} has no nextBatch`);
  return taken(definition.nextBatch(context));
}

function taken(result: OrderResult): Ordered {
  const fault = typeFault(result);
  return fault === undefined ? { result: copied(result) } : { fault };
}

/** Into buffers of their own, whatever memory they lie in: shared with another thread, resizable, or one for all. */
function copied({ indices, offsets, weights, inclusion, probabilities, effectiveDataSize }: OrderResult): OrderResult {
  return {
    indices: new Uint32Array(indices),
    offsets: new Uint32Array(offsets),
    ...(weights && { weights: new Float32Array(weights) }),
    ...(inclusion && { inclusion: new Float64Array(inclusion) }),
    ...(probabilities && { probabilities: new Float64Array(probabilities) }),
    ...(effectiveDataSize !== undefined && { effectiveDataSize }),
  };
}

function batchesOf<Options>(
  definition: OrderDefinition<Options>,
  { coverage, epochShare }: Pick<Declared, "coverage" | "epochShare">,
  inputs: OrderInputs<Options>,
): Ordered {
  const { n, eligible, size, step, ledger, memory } = orderContext(inputs);
  const samples = sampleSize(epochShare, eligible.length);
  const epoch = new EpochOfBatches({ n, eligible, coverage, samples });
  const complete = { ...inputs, eligible, ledger, memory };
  const batches: OrderResult[] = [];
  while (epoch.left > 0) {
    const batch = batches.length;
    const count = Math.min(size(batch), epoch.left);
    const drawn = structuredClone(epoch.drawn(0));
    const place = { batch, step: step + batch, count, drawn, share: epoch.share };
    const ordered = batchBy(definition, batchContext(complete, place));
    if ("fault" in ordered) return ordered;
    const fault = touchedFault(drawn, epoch.drawn(0)) ?? epoch.add(ordered.result, count);
    if (fault !== undefined) return { fault };
    batches.push(ordered.result);
  }
  return { result: joined(batches, epoch.drawn(0).indices) };
}

function touchedFault(shown: Drawn, drawn: Drawn): ResultFault | undefined {
  const isEqual = (name: "indices" | "times") => shown[name].every((value, at) => value === drawn[name][at]);
  const touched = (["indices", "times"] as const).filter((name) => !isEqual(name));
  if (touched.length === 0) return undefined;
  const seen = `${touched.map((name) => `drawn.${name}`).join(", ")} changed`;
  return { law: "what is drawn is untouched", seen, expected: "as it was: what an order keeps is in its memory" };
}

/** One epoch of these batches; probabilities, which are other ones before each, are left out. */
function joined(batches: readonly OrderResult[], indices: Uint32Array): OrderResult {
  const weights = batches.flatMap((batch) => batch.weights ?? []);
  const inclusion = batches.flatMap((batch) => batch.inclusion ?? []);
  const offsets = [0];
  for (const batch of batches) offsets.push(offsets[offsets.length - 1] + batch.indices.length);
  return {
    indices: indices.slice(),
    offsets: Uint32Array.from(offsets),
    ...(weights.length > 0 && { weights: concatenated<Float32Array>(Float32Array, weights) }),
    ...(inclusion.length === batches.length && { inclusion: concatenated<Float64Array>(Float64Array, inclusion) }),
  };
}
