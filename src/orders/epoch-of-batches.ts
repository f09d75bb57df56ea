/**
 * An epoch of an order that decides each batch, as it grows: what is drawn so far, and the laws that each batch is held
 * to, in time that grows with the batch alone.
 */
import type { Coverage, Drawn, OrderResult } from "./contract.js";
import { type ResultFault, valueFaults } from "./result-check.js";

export interface EpochBounds {
  /** Samples in the dataset. */
  readonly n: number;
  readonly eligible: Readonly<Uint32Array>;
  readonly coverage: Coverage;
  /** Samples of the epoch. */
  readonly samples: number;
}

export class EpochOfBatches {
  readonly #times: Uint32Array;
  readonly #bounds: EpochBounds;
  readonly #isEligible: Uint8Array;
  readonly #indices: Uint32Array;
  #count = 0;
  /** Whether its batches have weights; undefined before the first one. */
  #isWeighted: boolean | undefined;

  constructor(bounds: EpochBounds) {
    this.#bounds = bounds;
    this.#times = new Uint32Array(bounds.n);
    this.#isEligible = new Uint8Array(bounds.n);
    for (const index of bounds.eligible) this.#isEligible[index] = 1;
    this.#indices = new Uint32Array(bounds.samples);
  }

  /** Views of what is drawn, of which so many samples are still to be learned of. */
  drawn(pending: number): Drawn {
    const indices = this.#indices.subarray(0, this.#count);
    return { indices, times: this.#times, pending: indices.subarray(this.#count - pending) };
  }

  /** Samples that are still to be drawn. */
  get left(): number {
    return this.#bounds.samples - this.#count;
  }

  /** Share of the epoch's samples that is drawn, in [0, 1]. */
  get share(): number {
    return this.#count / this.#bounds.samples;
  }

  /** Adds a batch whose arrays have the right types, unless it breaks a law. `count`: samples that were asked for. */
  add(batch: OrderResult, count: number): ResultFault | undefined {
    const fault = this.#countFault(batch, count) ?? this.#weightsFault(batch) ?? valueFaults(batch, this.#bounds).at(0);
    return fault ?? this.#draw(batch.indices);
  }

  /** These samples are drawn already, with weights or without. */
  goOn(indices: Readonly<Uint32Array>, isWeighted?: boolean): void {
    this.#isWeighted = isWeighted;
    this.#draw(indices);
  }

  #draw(indices: Readonly<Uint32Array>): ResultFault | undefined {
    const { n, eligible, coverage } = this.#bounds;
    for (const [at, index] of indices.entries()) {
      if (this.#isEligible[index] !== 1) {
        const seen = index < n ? `${index}, which is not eligible` : `${index} of ${n}`;
        return { law: "indices are eligible", seen, expected: `some of the ${eligible.length} eligible indices` };
      }
      this.#times[index] += 1;
      if (this.#times[index] > 1 && coverage !== "any") {
        const inBatch = indices.indexOf(index) < at;
        const seen = `sample ${index} twice${inBatch ? "" : ", in a batch before"}`;
        return { law: "each sample comes as often as declared", seen, expected: coverage };
      }
    }
    this.#indices.set(indices, this.#count);
    this.#count += indices.length;
    return undefined;
  }

  #countFault({ indices, offsets }: OrderResult, count: number): ResultFault | undefined {
    const isOne = offsets.length === 2 && offsets[0] === 0 && offsets[1] === count;
    if (isOne && indices.length === count) return undefined;
    const seen = `${indices.length} ${nounOf(indices.length)}, offsets ${offsets.subarray(0, 4).join(", ")}${offsets.length > 4 ? ", …" : ""}`;
    return {
      law: "a batch is as large as asked for",
      seen,
      expected: `${count} ${nounOf(count)}, offsets 0, ${count}`,
    };
  }

  #weightsFault({ weights }: OrderResult): ResultFault | undefined {
    const isWeighted = weights !== undefined;
    this.#isWeighted ??= isWeighted;
    if (isWeighted === this.#isWeighted) return undefined;
    const words = (has: boolean) => `${has ? "" : "no "}weights`;
    return {
      law: "all batches of an epoch have weights, or none",
      seen: `a batch with ${words(isWeighted)}`,
      expected: `${words(this.#isWeighted)}, as before`,
    };
  }
}

const nounOf = (count: number): string => (count === 1 ? "sample" : "samples");
