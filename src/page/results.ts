/** The page's numbers as `summary.ts` makes them of an experiment's results, so that page and table say the same. */
import type { Summary } from "../record/summary-document.js";
import { summarise } from "../results/summary.js";
import type { ReportData } from "./data.js";

/** Of every arm and seed on record, also those that the last command did not ask for. */
export function resultsOf({ name, seeds, arms }: ReportData): Summary {
  const asked = Object.fromEntries(
    arms.map(({ arm, epochs, changesObjective }) => [arm, { epochs, order: { changesObjective } }]),
  );
  const results = arms.flatMap(({ arm, runs }) =>
    runs.map(({ seed, document, metrics }) => {
      const { state, error, divergedAtStep } = document;
      return { arm, seed, state, error, divergedAtStep, metrics };
    }),
  );
  return summarise({ name, seeds, arms: asked }, results, "");
}
