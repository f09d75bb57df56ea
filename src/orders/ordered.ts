/** What an order returns, taken over as soon as it returns it: arrays of its own making may be changed later. */
import { concatenated } from "../kernels/concatenated.js";
import { CandidateLaws, candidatesBy, madeUpPool } from "./candidates.js";
import { batchContext, emptyLedger, type OrderInputs, orderContext, type PoolPlace, poolContexts } from "./context.js";
import {
  type Drawn,
  EXTRA_SIGNALS,
  type LedgerView,
  type MaybeScoredContext,
  type OrderDefinition,
  type OrderResult,
  type Pool,
} from "./contract.js";
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
  declared: DeclaredOfBatches & Pick<Declared, "eachBatch">,
  inputs: OrderInputs<Options>,
): Ordered {
  if (definition.order === undefined || declared.eachBatch) return batchesOf(definition, declared, inputs);
  return taken(definition.order(orderContext(inputs)));
}

/** Asks an order that decides each batch for one. Throws what it throws. */
export function batchBy<Options>(definition: OrderDefinition<Options>, context: MaybeScoredContext<Options>): Ordered {
  if (definition.nextBatch === undefined) throw new Error(`order ${definition.name} has no nextBatch`);
  if (definition.order !== undefined || definition.scoresCandidates !== undefined) {
    return taken(definition.nextBatch(context));
  }
  if (definition.candidates === undefined) return taken(definition.nextBatch(context));
  const { pool } = context;
  if (pool === undefined) throw new Error(`order ${definition.name} was given no pool`);
  return taken(definition.nextBatch({ ...context, pool }));
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

/** What an order that decides each batch is shown: none of a ledger that it says it ignores. */
export const shownTo = <Options>(
  { ignoresLedger }: Pick<Declared, "ignoresLedger">,
  inputs: OrderInputs<Options>,
): OrderInputs<Options> => (ignoresLedger ? { ...inputs, ledger: IGNORED } : inputs);

const IGNORED: LedgerView = new Proxy(emptyLedger(0), {
  get: (_, column) => {
    throw new Error(`ledger.${String(column)} is read, though ignoresLedger says that none of it is: leave that out`);
  },
});

/** What an order says of itself that its batches depend on. */
export type DeclaredOfBatches = Pick<
  Declared,
  "coverage" | "epochShare" | "scoresCandidates" | "candidatesPerSample" | "ignoresLedger"
>;

function batchesOf<Options>(
  definition: OrderDefinition<Options>,
  declared: DeclaredOfBatches,
  inputs: OrderInputs<Options>,
): Ordered {
  const batches: OrderResult[] = [];
  for (const ordered of decidedBatches(definition, declared, inputs)) {
    if ("fault" in ordered) return ordered;
    batches.push(ordered.result);
  }
  return { result: joined(batches) };
}

/** What an epoch has drawn already where it is gone on with. */
export interface Begun {
  readonly batches: number;
  readonly drawn: Readonly<Uint32Array>;
}
const NOT_BEGUN: Begun = { batches: 0, drawn: new Uint32Array() };

/**
 * The batches of an epoch, one after another, with nothing learned between them; a fault is the last that is given. Throws
 * what the order throws.
 */
export function* decidedBatches<Options>(
  definition: OrderDefinition<Options>,
  declared: DeclaredOfBatches,
  inputs: OrderInputs<Options>,
  begun: Begun = NOT_BEGUN,
): Generator<Ordered, void> {
  const { coverage, epochShare, scoresCandidates } = declared;
  const { n, eligible, size, step, ledger, memory } = orderContext(inputs);
  const samples = sampleSize(epochShare, eligible.length);
  const epoch = new EpochOfBatches({ n, eligible, coverage, samples });
  epoch.goOn(begun.drawn);
  const complete = { ...inputs, eligible, ledger, memory };
  const poolOf = scoresCandidates ? madeUpPools(definition, declared, complete) : undefined;
  for (let batch = begun.batches; epoch.left > 0; batch++) {
    const count = Math.min(size(batch), epoch.left);
    const drawn = structuredClone(epoch.drawn(0));
    const place = { batch, step: step + batch, count };
    const pooled = poolOf?.({ ...place, first: drawn.indices.length });
    if (pooled !== undefined && "fault" in pooled) return yield pooled;
    const shown = { ...place, share: epoch.share, drawn, ...(pooled && { pool: pooled.pool }) };
    const ordered = batchBy(definition, batchContext(shownTo(declared, complete), shown));
    if ("fault" in ordered) return yield ordered;
    const touched = touchedFault(drawn, epoch.drawn(0)) ?? pooled?.touched();
    const fault = touched ?? epoch.add(ordered.result, count);
    if (fault !== undefined) return yield { fault };
    yield ordered;
  }
}

/** A pool to be shown to an order, and what the order has changed of it. */
interface MadeUpPool {
  readonly pool: Pool;
  touched(): ResultFault | undefined;
}

/** The pools of an epoch's batches, with scores that nobody measured. Throws what the order throws. */
function madeUpPools<Options>(
  definition: OrderDefinition<Options>,
  declared: DeclaredOfBatches,
  inputs: OrderInputs<Options>,
): (place: PoolPlace) => MadeUpPool | { readonly fault: ResultFault } {
  const { n, eligible, ledger, labels, classCount } = orderContext(inputs);
  const laws = new CandidateLaws(n, eligible, declared);
  const samples = sampleSize(declared.epochShare, eligible.length);
  const contextOf = poolContexts(inputs, samples);
  return (place) => {
    const named = candidatesBy(definition, contextOf(place));
    if ("fault" in named) return named;
    const { indices } = named;
    // As a run that goes on asks: what was changed of the shuffle is not changed there.
    const again = candidatesBy(definition, poolContexts(inputs, samples)(place));
    const fault = laws.fault(indices, place) ?? changedFault(indices, again);
    if (fault !== undefined) return { fault };
    const pool = madeUpPool(indices, { ledger, labels, classCount });
    const before = structuredClone(pool);
    return { pool, touched: () => touchedPoolFault(pool, before) };
  };
}

function changedFault(indices: Uint32Array, again: ReturnType<typeof candidatesBy>): ResultFault | undefined {
  if ("fault" in again) return again.fault;
  const isEqual = again.indices.length === indices.length && again.indices.every((index, at) => index === indices[at]);
  if (isEqual) return undefined;
  const law = "candidates are a function of their place";
  return { law, seen: "other candidates when asked again", expected: "the same: a run that goes on asks again" };
}

function touchedPoolFault(pool: Pool, before: Pool): ResultFault | undefined {
  const names = ["indices", "loss", "correct", "prediction", ...EXTRA_SIGNALS] as const;
  const touched = names.filter((name) => pool[name]?.some((value, at) => !Object.is(value, before[name]?.[at])));
  if (touched.length === 0) return undefined;
  const seen = `${touched.map((name) => `pool.${name}`).join(", ")} changed`;
  return { law: "the pool is untouched", seen, expected: "as it was" };
}

function touchedFault(shown: Drawn, drawn: Drawn): ResultFault | undefined {
  const isEqual = (name: "indices" | "times") => shown[name].every((value, at) => value === drawn[name][at]);
  const touched = (["indices", "times"] as const).filter((name) => !isEqual(name));
  if (touched.length === 0) return undefined;
  const seen = `${touched.map((name) => `drawn.${name}`).join(", ")} changed`;
  return { law: "what is drawn is untouched", seen, expected: "as it was: what an order keeps is in its memory" };
}

/** One epoch of these batches; probabilities, which are other ones before each, are left out. */
function joined(batches: readonly OrderResult[]): OrderResult {
  const weights = batches.flatMap((batch) => batch.weights ?? []);
  const inclusion = batches.flatMap((batch) => batch.inclusion ?? []);
  const offsets = [0];
  for (const batch of batches) offsets.push(offsets[offsets.length - 1] + batch.indices.length);
  return {
    indices: concatenated<Uint32Array>(
      Uint32Array,
      batches.map((batch) => batch.indices),
    ),
    offsets: Uint32Array.from(offsets),
    ...(weights.length > 0 && { weights: concatenated<Float32Array>(Float32Array, weights) }),
    ...(inclusion.length === batches.length && { inclusion: concatenated<Float64Array>(Float64Array, inclusion) }),
  };
}
