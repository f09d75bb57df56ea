/** What has no meaning in a run whose length is a budget. */
import { type ChosenBatching, changesBy } from "../batching/index.js";
import type { Checker } from "./checker.js";
import type { ArmSections } from "./schema.js";

/** @throws IbatchError naming the option. */
export function refuseByBudget(checker: Checker, { budget }: ArmSections, batching: ChosenBatching): void {
  if (budget?.updates === undefined) return;
  const mistake = (option: string, what: string) => checker.mistake(["batching", option], what);
  if (changesBy(batching) === "epochs") {
    throw mistake("per", "how many epochs a budget of updates lasts depends on the sizes themselves: take per: batch");
  }
  if (batching.options.ratesOf !== undefined) {
    throw mistake(
      "ratesOf",
      "with a budget of updates the other rule would train on other samples, so no two batches correspond: take a budget of samples",
    );
  }
}
