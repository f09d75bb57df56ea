/** How evenly a table's counts are spread, given its margins: chi-square, of which those fix mean and variance. */
import { between, type Outcome } from "./sequences.js";
import { gammaTails, twoSided } from "./tails.js";

/** With fewer degrees of freedom the statistic takes few values, and a gamma distribution is too far from its own. */
const LEAST_DEGREES = 15;

export interface Table {
  /** Sums of the rows, and of the columns; some may be 0. */
  readonly rows: Float64Array;
  readonly columns: Float64Array;
  /** The sum over the cells of count² / (row · column). */
  readonly squares: number;
}

/** The table of things that have a row and a column each; those of one row lie together. */
export function tableOf(rowOf: Uint32Array, columnOf: Uint32Array): Table {
  const [rows, columns] = [rowOf, columnOf].map(countsOf);
  const counts = new Uint32Array(columns.length); // of one row: a table of batches × classes may be large
  let squares = 0;
  for (let start = 0, end = 0; start < rowOf.length; start = end) {
    while (end < rowOf.length && rowOf[end] === rowOf[start]) counts[columnOf[end++]]++;
    for (let at = start; at < end; at++) {
      const column = columnOf[at];
      squares += counts[column] ** 2 / (rows[rowOf[start]] * columns[column]);
      counts[column] = 0; // so that each cell counts once
    }
  }
  return { rows, columns, squares };
}

function countsOf(numbers: Uint32Array): Float64Array {
  const counts = new Float64Array(numbers.reduce((most, number) => Math.max(most, number), 0) + 1);
  for (const number of numbers) counts[number]++;
  return counts;
}

/** Of all tables together, which are independent of each other, at least two by two. */
export function evenness(name: string, tables: readonly Table[]): Outcome {
  const each = tables.map(momentsOf);
  const sum = (part: (moments: Moments) => number) => each.reduce((total, moments) => total + part(moments), 0);
  if (sum(({ degrees }) => degrees) < LEAST_DEGREES) {
    return { name, why: "there are too few batches (or classes): take smaller ones, or more epochs" };
  }
  const [statistic, mean, variance] = [sum((m) => m.statistic), sum((m) => m.mean), sum((m) => m.variance)];
  const usual = (1.96 * Math.sqrt(variance)) / mean;
  const ratio = (value: number) => value.toFixed(4);
  return {
    name,
    seen: ratio(statistic / mean),
    usual: between(ratio(Math.max(0, 1 - usual)), ratio(1 + usual)),
    p: twoSided(gammaTails(mean ** 2 / variance, statistic * (mean / variance))),
  };
}

interface Moments {
  readonly statistic: number;
  readonly mean: number;
  readonly variance: number;
  readonly degrees: number;
}

const NOTHING: Moments = { statistic: 0, mean: 0, variance: 0, degrees: 0 };

/** Chi-square, with its exact mean and variance where both margins are fixed (Haldane 1940, Dawson 1954). */
export function momentsOf({ rows, columns, squares }: Table): Moments {
  const total = rows.reduce((sum, row) => sum + row, 0);
  const [r, c] = [rows, columns].map((margin) => margin.reduce((present, count) => present + Math.sign(count), 0));
  if (r < 2 || c < 2 || total < 4) return NOTHING;
  const even = (kinds: number) => ((kinds - 1) * (total - kinds)) / (total - 1);
  const uneven = (margin: Float64Array, kinds: number) =>
    (total * margin.reduce((sum, count) => sum + (count > 0 ? 1 / count : 0), 0) - kinds ** 2) / (total - 2);
  const [v1, v2] = [even(r), even(c)];
  const [w1, w2] = [uneven(rows, r), uneven(columns, c)];
  return {
    statistic: Math.max(0, total * (squares - 1)), // rounding may make it less
    mean: (total * (r - 1) * (c - 1)) / (total - 1),
    variance: ((2 * total) / (total - 3)) * (v1 - w1) * (v2 - w2) + (total ** 2 / (total - 1)) * w1 * w2,
    degrees: (r - 1) * (c - 1),
  };
}
