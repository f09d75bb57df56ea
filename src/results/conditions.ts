/** What is the same in every run of an experiment, so that intervals and p say nothing about others of it. */
import { type FixedSeeds, RANDOM_SOURCES, type RunSeeds } from "../config/run-seeds.js";
import type { PlannedExperiment } from "./planned-experiment.js";

const NAMES: Readonly<Record<keyof RunSeeds, string>> = {
  model: "initial weights",
  order: "orders",
  noise: "noise (dropout, augmentation)",
};
/** Those of one seed: what reads losses differs all the same where other things do. */
const FIXED: Readonly<Record<keyof RunSeeds, string>> = { ...NAMES, order: "random numbers of orders" };

/** None of a single seed: no interval is told of that. */
export function conditionsOf({
  seeds,
  arms,
  fixedSeeds,
}: Pick<PlannedExperiment, "seeds" | "arms" | "fixedSeeds">): string[] {
  if (seeds.length < 2) return [];
  const subsets = subsetsOf(arms);
  return [fixedSeedsNote(fixedSeeds, subsets), subsetNote(subsets)].filter((note) => note !== undefined);
}

/** Undefined where nothing is fixed. */
function fixedSeedsNote(fixed: FixedSeeds | undefined, { own }: Subsets): string | undefined {
  if (fixed === undefined) return undefined;
  const isFixed = (source: keyof RunSeeds) => fixed[source] !== undefined;
  const same = RANDOM_SOURCES.filter(isFixed);
  const drawn = RANDOM_SOURCES.filter((source) => !isFixed(source)).map((source) => NAMES[source]);
  const anew = [...drawn, ...(own.length === 0 ? [] : ["subsets"])];
  const fixedTo = listed(same.map((source) => `${FIXED[source]} of seed ${fixed[source]}`));
  const others = listed(same.map((source) => FIXED[source]));
  return `Every run has the ${fixedTo}: over seeds ${listed(anew)} alone are drawn anew, and intervals and p say nothing about other ${others}`;
}

const listed = (names: readonly string[]): string =>
  names.length < 3 ? names.join(" and ") : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;

/** Arms by the samples that they train on over seeds. */
interface Subsets {
  /** Each seed has its own. */
  readonly own: readonly Sized[];
  /** All seeds have one. */
  readonly common: readonly Sized[];
  /** How many arms have all samples. */
  readonly whole: number;
}

interface Sized {
  readonly arm: string;
  readonly subset: number;
}

function subsetsOf(arms: PlannedExperiment["arms"]): Subsets {
  const all = Object.entries(arms).flatMap(([arm, { dataset }]) => {
    const { subset, subsetSeed = "fixed" } = dataset ?? {};
    return typeof subset === "number" ? [{ arm, subset, isOwn: subsetSeed === "run" }] : [];
  });
  return {
    own: all.filter(({ isOwn }) => isOwn),
    common: all.filter(({ isOwn }) => !isOwn),
    whole: Object.keys(arms).length - all.length,
  };
}

/** Undefined where each arm has all samples. */
function subsetNote({ own, common, whole }: Subsets): string | undefined {
  if (own.length > 0) {
    const areAll = common.length + whole === 0;
    const others = areAll ? "" : "; the other arms have the same samples for all seeds";
    const whose = areAll ? "Each seed" : `Of ${namesOf(own)} each seed`;
    return `${whose} trains on a subset of its own, of ${sizesOf(own)} samples, so intervals and p are over samples, too${others}`;
  }
  if (common.length === 0) return undefined;
  const whose = whole === 0 ? "Every seed" : `Of ${namesOf(common)} every seed`;
  return `${whose} trains on the same subset of ${sizesOf(common)} samples: intervals and p say nothing about other samples`;
}

const namesOf = (arms: readonly Sized[]): string => arms.map(({ arm }) => arm).join(", ");

const sizesOf = (arms: readonly Sized[]): string =>
  [...new Set(arms.map(({ subset }) => subset.toLocaleString("en-US")))].join(" or ");
