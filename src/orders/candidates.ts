/** The candidates of a batch: as an order names them, the laws that they are held to, and scores where there is no backend. */
import type { PoolPlace } from "./context.js";
import {
  EXTRA_SIGNALS,
  type ExtraSignal,
  type LedgerView,
  type OrderDefinition,
  type Pool,
  type PoolContext,
} from "./contract.js";
import type { Declared } from "./declared.js";
import { sampleSize } from "./fraction.js";
import { described, type ResultFault } from "./result-check.js";

/** A copy of what was named; or, where it breaks a law, which one. */
export type Candidates = { readonly indices: Uint32Array<ArrayBuffer> } | { readonly fault: ResultFault };

/** Asks an order for the candidates of a batch. Throws what it throws. */
export function candidatesBy<Options>(definition: OrderDefinition<Options>, context: PoolContext<Options>): Candidates {
  if (definition.candidates === undefined) throw new Error(`order ${definition.name} names no candidates`);
  const named: unknown = definition.candidates(context);
  if (named instanceof Uint32Array) return { indices: new Uint32Array(named) };
  if (named instanceof Promise) named.catch(() => {}); // should it fail, nobody waits for it
  const law = "candidates are a Uint32Array";
  return { fault: { law, seen: described(named), expected: "a Uint32Array of indices, returned at once" } };
}

/** What is declared of an epoch with candidates. */
type DeclaredPools = Pick<Declared, "epochShare" | "candidatesPerSample">;

/** Where a batch stands in its epoch: samples of those before it, and its own. */
type InEpoch = Pick<PoolPlace, "first" | "count">;

/** Holds the candidates of one batch after another to the laws, in time that grows with them alone. */
export class CandidateLaws {
  readonly #n: number;
  readonly #eligibleCount: number;
  readonly #declared: DeclaredPools | undefined;
  /** Of each sample: 0 where it is not eligible, else 1 more than the number of the pool that held it last. */
  readonly #lastPool: Uint32Array;
  #pool = 0;

  /** `declared`: undefined where nothing charges candidates, and a batch may have as many as it likes. */
  constructor(n: number, eligible: Readonly<Uint32Array>, declared: DeclaredPools | undefined) {
    this.#n = n;
    this.#eligibleCount = eligible.length;
    this.#declared = declared;
    this.#lastPool = new Uint32Array(n);
    for (const index of eligible) this.#lastPool[index] = 1;
  }

  fault(indices: Readonly<Uint32Array>, place: InEpoch): ResultFault | undefined {
    if (indices.length < place.count) {
      const law = "there are as many candidates as the batch holds";
      return { law, seen: `${indices.length} candidates`, expected: `at least ${place.count}` };
    }
    this.#pool += 1;
    for (const index of indices) {
      const last = this.#lastPool[index] ?? 0;
      if (last === 0) {
        const seen = index < this.#n ? `${index}, which is not eligible` : `${index} of ${this.#n}`;
        return { law: "candidates are eligible", seen, expected: "eligible indices" };
      }
      if (last === this.#pool + 1) {
        return { law: "each candidate comes once", seen: `sample ${index} twice`, expected: "distinct indices" };
      }
      this.#lastPool[index] = this.#pool + 1;
    }
    return this.#declared && this.#countFault(indices.length, place, this.#declared);
  }

  /**
   * A budget of passes charges what is declared, so a batch has as many, but for a part of one, and for all eligible samples.
   * An epoch's last batch may have what a pass over the eligible samples has left instead, or a number between.
   */
  #countFault(
    named: number,
    { first, count }: InEpoch,
    { epochShare, candidatesPerSample }: DeclaredPools,
  ): ResultFault | undefined {
    const all = this.#eligibleCount;
    const isLast = first + count >= sampleSize(epochShare, all);
    const declared = Math.min(candidatesPerSample * count, all);
    const other = isLast ? Math.max(count, all - candidatesPerSample * first) : declared;
    const [fewest, most] = [
      Math.floor(Math.min(declared, other) - 1) + 1,
      Math.ceil(Math.max(declared, other) + 1) - 1,
    ];
    if (named >= fewest && named <= most) return undefined;
    const wanted = fewest === most ? `${most}` : `${fewest} to ${most}`;
    return {
      law: "candidates are as many as declared",
      seen: `${named} candidates for a batch of ${count}`,
      expected: `${wanted}, for \`candidatesPerSample\` is ${candidatesPerSample}${fitting(named / count)}`,
    };
  }
}

/** The declaration that would fit, where one batch is enough to say so. */
const fitting = (perSample: number): string =>
  Number.isInteger(perSample) ? `, or \`candidatesPerSample: () => ${perSample}\`` : "";

/** What a pool's scores are made of where there is no backend. */
export interface KnownOfSamples {
  readonly ledger: LedgerView;
  readonly labels: Readonly<Uint32Array>;
  readonly classCount: number;
}

/** A pool that nobody scored: what the ledger has of a sample, and else numbers that are a function of the sample. */
export function madeUpPool(indices: Uint32Array, { ledger, labels, classCount }: KnownOfSamples): Pool {
  const correct = new Uint8Array(indices.length);
  for (const [at, sample] of indices.entries()) {
    const known = ledger.correct[sample];
    correct[at] = known <= 1 ? known : Number(madeUp(sample) < 0.5);
  }
  const extras: { [signal in ExtraSignal]?: Float32Array } = {};
  for (const [at, signal] of EXTRA_SIGNALS.entries()) {
    const column = ledger[signal];
    if (column !== undefined) extras[signal] = scored(indices, column, (value) => (at === 0 ? 1 - value : value / at));
  }
  return {
    indices,
    loss: scored(indices, ledger.loss, (value) => value),
    correct,
    prediction: indices.map((sample, at) => (labels[sample] + 1 - correct[at]) % classCount),
    ...extras,
  };
}

function scored(
  indices: Uint32Array,
  column: Readonly<Float32Array>,
  otherwise: (value: number) => number,
): Float32Array {
  const values = new Float32Array(indices.length);
  for (const [at, sample] of indices.entries()) {
    const known = column[sample];
    values[at] = Number.isNaN(known) ? otherwise(4 * madeUp(sample)) : known;
  }
  return values;
}

/** In [0, 1), without a pattern along the samples (Fibonacci hashing). */
const madeUp = (sample: number): number => (Math.imul(sample + 1, 0x9e3779b1) >>> 0) / 2 ** 32;
