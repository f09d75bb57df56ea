/** What is the same in every run of an experiment, so that intervals and p say nothing about others of it. */
import { type FixedSeeds, RANDOM_SOURCES, type RunSeeds } from "../config/run-seeds.js";

const NAMES: Readonly<Record<keyof RunSeeds, string>> = {
  model: "initial weights",
  order: "orders",
  noise: "dropout and augmentation",
};

/** Undefined where nothing is fixed. */
export function fixedSeedsNote(fixed: FixedSeeds | undefined): string | undefined {
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
