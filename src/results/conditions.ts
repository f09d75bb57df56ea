/** What is the same in every run of an experiment, so that intervals and p say nothing about others of it. */
import { type FixedSeeds, RANDOM_SOURCES, type RunSeeds } from "../config/run-seeds.js";
import type { PlannedExperiment } from "./planned-experiment.js";

const NAMES: Readonly<Record<keyof RunSeeds, string>> = {
  model: "initial weights",
  order: "orders",
  noise: "noise (dropout, augmentation)",
};

/** None of a single seed: no interval is told of that. */
export function conditionsOf({
  seeds,
  arms,
  fixedSeeds,
}: Pick<PlannedExperiment, "seeds" | "arms" | "fixedSeeds">): string[] {
  if (seeds.length < 2) return [];
  return [fixedSeedsNote(fixedSeeds), subsetNote(arms)].filter((note) => note !== undefined);
}

/** Undefined where nothing is fixed. */
function fixedSeedsNote(fixed: FixedSeeds | undefined): string | undefined {
  if (fixed === undefined) return undefined;
  const names = (sources: readonly (keyof RunSeeds)[]) => sources.map((source) => NAMES[source]).join(" and ");
  const isFixed = (source: keyof RunSeeds) => fixed[source] !== undefined;
  const same = RANDOM_SOURCES.filter(isFixed).map((source) => `${NAMES[source]} of seed ${fixed[source]}`);
  const varied = names(RANDOM_SOURCES.filter((source) => !isFixed(source)));
  return (
    `Every run has the ${same.join(" and ")}: over seeds ${varied} alone vary, and intervals and p say nothing about other ` +
    names(RANDOM_SOURCES.filter(isFixed))
  );
}

/** Which samples the arms trained on over seeds; undefined where each arm has all of them. */
function subsetNote(arms: PlannedExperiment["arms"]): string | undefined {
  const all = Object.entries(arms).flatMap(([arm, { dataset }]) => {
    const { subset, subsetSeed = "fixed" } = dataset ?? {};
    return typeof subset === "number" ? [{ arm, subset, subsetSeed }] : [];
  });
  if (all.length === 0) return undefined;
  const sizes = [...new Set(all.map(({ subset }) => subset))].map((size) => size.toLocaleString("en-US")).join(" or ");
  const own = all.filter(({ subsetSeed }) => subsetSeed === "run").map(({ arm }) => arm);
  if (own.length === 0) {
    return `Every seed trains on the same subset of ${sizes} samples: intervals and p say nothing about other samples`;
  }
  const whose = own.length === all.length ? "Each seed" : `Of ${own.join(", ")} each seed`;
  const others = own.length === all.length ? "" : "; the other arms have one for all seeds";
  return `${whose} trains on a subset of its own, of ${sizes} samples, so intervals and p are over samples, too${others}`;
}
