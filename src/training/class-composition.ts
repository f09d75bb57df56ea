/** How mixed the classes of batches are, beside what chance alone would mix: a possible reason for what an order does. */
import { countClasses } from "../kernels/classes.js";
import type { ClassMonitors } from "../record/epoch-metrics.js";

interface Composition {
  /** Different classes in a batch. */
  readonly classes: number;
  /** Total-variation distance of its classes' shares from those of all eligible samples, 0 … 1. */
  readonly distance: number;
}

/** Of one run: what is expected of a size of batch is made once. */
export class ClassComposition {
  readonly #labels: Readonly<Uint32Array>;
  readonly #classCount: number;
  /** Eligible samples of each class, and all of them. */
  readonly #counts: Readonly<Uint32Array>;
  readonly #total: number;
  readonly #byChance = new Map<number, Composition>();

  constructor(labels: Readonly<Uint32Array>, eligible: Readonly<Uint32Array>, classCount: number) {
    this.#labels = labels;
    this.#classCount = classCount;
    this.#counts = countClasses(eligible, labels, classCount);
    this.#total = eligible.length;
  }

  /** Means over an epoch's batches, in time that grows with its samples. */
  of(indices: Readonly<Uint32Array>, offsets: Readonly<Uint32Array>): ClassMonitors {
    const batches = offsets.length - 1;
    const counts = new Uint32Array(this.#classCount);
    const sums = { classes: 0, distance: 0, classesByChance: 0, distanceByChance: 0 };
    for (let batch = 0; batch < batches; batch++) {
      const members = indices.subarray(offsets[batch], offsets[batch + 1]);
      const seen = this.#composition(members, counts);
      const expected = this.#expected(members.length);
      sums.classes += seen.classes;
      sums.distance += seen.distance;
      sums.classesByChance += expected.classes;
      sums.distanceByChance += expected.distance;
    }
    return {
      classesPerBatch: sums.classes / batches,
      classesPerBatchByChance: sums.classesByChance / batches,
      classDistance: sums.distance / batches,
      classDistanceByChance: sums.distanceByChance / batches,
    };
  }

  /** `counts`: all 0, before and after. */
  #composition(members: Readonly<Uint32Array>, counts: Uint32Array): Composition {
    for (const sample of members) counts[this.#labels[sample]] += 1;
    let classes = 0;
    let apart = 0;
    let shareSeen = 0;
    for (const sample of members) {
      const label = this.#labels[sample];
      if (counts[label] === 0) continue;
      const share = this.#counts[label] / this.#total;
      classes += 1;
      apart += Math.abs(counts[label] / members.length - share);
      shareSeen += share;
      counts[label] = 0;
    }
    return { classes, distance: (apart + Math.max(0, 1 - shareSeen)) / 2 };
  }

  /** Of a uniform sample of so many, none twice. */
  #expected(size: number): Composition {
    const known = this.#byChance.get(size);
    if (known !== undefined) return known;
    let classes = 0;
    let apart = 0;
    for (const count of this.#counts) {
      const { none, deviation } = drawnOfClass(count, this.#total, Math.min(size, this.#total));
      classes += 1 - none;
      apart += deviation;
    }
    const expected = { classes, distance: apart / 2 };
    this.#byChance.set(size, expected);
    return expected;
  }
}

/** Below this share of the likeliest number's chance, a number never comes. */
const NEVER = 1e-18;

/**
 * Of `size` samples drawn from `total`, `count` of which are of a class: the chance that none of those is, and the mean
 * distance of their share from the class's. Hypergeometric, by ratios of neighbours: exact up to rounding, without logarithms.
 */
function drawnOfClass(count: number, total: number, size: number): { none: number; deviation: number } {
  const [least, most] = [Math.max(0, size + count - total), Math.min(size, count)];
  const mode = Math.min(most, Math.max(least, Math.floor(((size + 1) * (count + 1)) / (total + 2))));
  const share = count / total;
  let sum = 0;
  let deviation = 0;
  let none = 0;
  const add = (number: number, weight: number) => {
    sum += weight;
    deviation += weight * Math.abs(number / size - share);
    if (number === 0) none = weight;
  };
  const above = (number: number) =>
    ((count - number) * (size - number)) / ((number + 1) * (total - count - size + number + 1));
  for (let number = mode, weight = 1; number <= most && weight > NEVER; weight *= above(number), number++) {
    add(number, weight);
  }
  for (let number = mode - 1, weight = 1; number >= least; number--) {
    weight /= above(number);
    if (weight < NEVER) break;
    add(number, weight);
  }
  return { none: none / sum, deviation: deviation / sum };
}
