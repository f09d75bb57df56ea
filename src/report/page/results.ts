/** The page's numbers as `summary.ts` makes them of an experiment's results, so that page and table say the same. */
import { z } from "zod";
import type { ExperimentConfig } from "../../experiment/config.js";
import { type Summary, summarise } from "../summary.js";
import type { ReportData } from "./data.js";

/** What `summarise` reads of a config. */
const summarised = z.custom<ExperimentConfig>(
  (value) =>
    z
      .object({
        name: z.string(),
        seeds: z.array(z.number()),
        arms: z.record(
          z.string(),
          z.object({ epochs: z.number(), order: z.object({ changesObjective: z.boolean() }) }),
        ),
      })
      .safeParse(value).success,
);

/** Of every arm and seed on record, also those that the last command did not ask for. */
export function resultsOf({ name, seeds, arms }: ReportData): Summary {
  const config = summarised.parse({
    name,
    seeds,
    arms: Object.fromEntries(
      arms.map(({ arm, epochs, changesObjective }) => [arm, { epochs, order: { changesObjective } }]),
    ),
  });
  const results = arms.flatMap(({ arm, runs }) =>
    runs.map(({ seed, document, metrics }) => {
      const { state, error, divergedAtStep } = document;
      return { arm, seed, state, error, divergedAtStep, metrics };
    }),
  );
  return summarise(config, results, "");
}
