/**
 * Two sequences beside each other: is the place of an index in the one known from its place in the other? Indices that
 * only one of them draws are left out, and places renumbered. Of two independent uniform shuffles one in terms of the
 * other is a uniform shuffle again, whatever the pair.
 */
import { evenness, type Table, tableOf } from "./evenness.js";
import {
  batchOfPlaces,
  firstPlaces,
  NOT_DRAWN,
  nameOf,
  type Outcome,
  type Sequence,
  type Sequences,
} from "./sequences.js";
import { usualLargest, usualPoisson } from "./steps.js";
import { firstCount, normalBeyond, poissonAtLeast, poissonAtMost, twoSided } from "./tails.js";

/** Fewer common indices say nothing of a pair. */
const LEAST_COMMON = 100;
/** More pairs than that take long; then those nearest to each other stand for all. */
const MOST_PAIRS = 500;

type Pair = readonly [Sequence, Sequence];

interface Compared {
  readonly pair: Pair;
  /** Common indices. */
  readonly m: number;
  /** Spearman's correlation of the places. */
  readonly rho: number;
  /** Indices in the same place. */
  readonly fixed: number;
  /** How many indices have the shift of places, cyclic, that most have. */
  readonly shifted: number;
  readonly shift: number;
  /** Of the batches of the one against those of the other. */
  readonly table: Table;
}

/** Of epochs of a seed, and of seeds. */
export function correlations({ all, n }: Sequences): Outcome[] {
  const isNear = (a: Sequence, b: Sequence) => Math.abs(a.epoch - b.epoch) <= 1 && b.seed - a.seed <= 1;
  const places = new Map(all.map((sequence) => [sequence, firstPlaces(sequence.indices, n)] as const));
  return [
    { between: "epochs", isPair: (a: Sequence, b: Sequence) => a.seed === b.seed },
    { between: "seeds", isPair: (a: Sequence, b: Sequence) => a.seed !== b.seed },
  ].flatMap(({ between, isPair }) => {
    const pairs = all.flatMap((a, at) => all.slice(at + 1).flatMap((b): Pair[] => (isPair(a, b) ? [[a, b]] : [])));
    const taken = pairs.length <= MOST_PAIRS ? pairs : pairs.filter(([a, b]) => isNear(a, b));
    const compared = taken.map((pair) => compare(pair, places)).filter(({ m }) => m >= LEAST_COMMON);
    return outcomes(between, compared);
  });
}

function outcomes(between: string, compared: readonly Compared[]): Outcome[] {
  const of = (what: string) => `${between}: ${what}`;
  if (compared.length === 0) {
    const why = `there are no two different ${between} with at least ${LEAST_COMMON} indices in common`;
    return [{ name: between, why }];
  }
  return [
    correlation(of("correlation"), compared),
    fixedPlaces(of("same place"), compared),
    commonestShift(of("shift"), compared),
    evenness(
      of("batches"),
      compared.map(({ table }) => table),
    ),
  ];
}

function correlation(name: string, compared: readonly Compared[]): Outcome {
  // not the largest itself: pairs may have different numbers of indices in common
  const zOf = ({ rho, m }: Compared) => Math.abs(rho) * Math.sqrt(m - 1);
  const furthest = compared.reduce((most, one) => (zOf(one) > zOf(most) ? one : most));
  const anyBeyond = (z: number) => Math.min(1, compared.length * normalBeyond(z));
  const atShare = (share: number) => firstCount((steps) => anyBeyond(steps / 1000) <= share) / 1000;
  const shown = (z: number) => (z / Math.sqrt(furthest.m - 1)).toFixed(4);
  return {
    name,
    seen: furthest.rho.toFixed(4).replace("-", "−"),
    usual: `± ${shown(atShare(0.05))}`,
    p: anyBeyond(zOf(furthest)),
  };
}

/** Pairs are independent two by two, so that the variance of the sum is that of a Poisson distribution. */
function fixedPlaces(name: string, compared: readonly Compared[]): Outcome {
  const mean = compared.length;
  const count = compared.reduce((sum, { fixed }) => sum + fixed, 0);
  return {
    name,
    seen: String(count),
    usual: usualPoisson(mean),
    p: twoSided({ low: poissonAtMost(count, mean), high: poissonAtLeast(count, mean) }),
  };
}

function commonestShift(name: string, compared: readonly Compared[]): Outcome {
  const most = compared.reduce((furthest, one) => (one.shifted > furthest.shifted ? one : furthest));
  const shifts = compared.reduce((sum, { m }) => sum + m, 0);
  const reaches = (count: number) => Math.min(1, shifts * poissonAtLeast(count, 1));
  return {
    name,
    seen: `${most.shifted} × +${most.shift}`,
    usual: usualLargest(reaches),
    p: reaches(most.shifted),
  };
}

function compare(pair: Pair, placesOf: ReadonlyMap<Sequence, Uint32Array>): Compared {
  const [first, second] = pair.map((sequence) => placesIn(sequence, placesOf));
  const common = first.sequence.indices.filter(
    (index, at) => first.places[index] === at && second.places[index] !== NOT_DRAWN,
  );
  const m = common.length;
  const ranks = ranksAmong(common, first.places, second);
  const table = batchTable(common, first, second);
  const shifts = new Uint32Array(m);
  let squares = 0;
  for (let place = 0; place < m; place++) {
    const difference = ranks[place] - place;
    squares += difference * difference;
    shifts[difference < 0 ? difference + m : difference]++;
  }
  const shifted = shifts.reduce((most, count) => Math.max(most, count), 0);
  const rho = 1 - (6 * squares) / (m * (m * m - 1));
  return { pair, m, rho, fixed: shifts[0] ?? 0, shifted, shift: shifts.indexOf(shifted), table };
}

interface Placed {
  readonly sequence: Sequence;
  readonly places: Uint32Array;
}

function placesIn(sequence: Sequence, placesOf: ReadonlyMap<Sequence, Uint32Array>): Placed {
  const places = placesOf.get(sequence);
  if (places === undefined) throw new Error(`no places of ${nameOf(sequence)}`);
  return { sequence, places };
}

/** The place of each of the common indices in the second sequence, counted among these alone. */
function ranksAmong(common: Uint32Array, firstPlaces: Uint32Array, second: Placed): Uint32Array {
  const { indices } = second.sequence;
  const rankAt = new Uint32Array(indices.length);
  let rank = 0;
  for (let at = 0; at < indices.length; at++) {
    const index = indices[at];
    if (second.places[index] === at && firstPlaces[index] !== NOT_DRAWN) rankAt[at] = rank++;
  }
  return common.map((index) => rankAt[second.places[index]]);
}

/** How often a batch of the first and one of the second hold the same of the common indices, in the first's sequence. */
function batchTable(common: Uint32Array, first: Placed, second: Placed): Table {
  const [inFirst, inSecond] = [first, second].map(({ sequence }) => batchOfPlaces(sequence));
  return tableOf(
    common.map((index) => inFirst[first.places[index]]),
    common.map((index) => inSecond[second.places[index]]),
  );
}
