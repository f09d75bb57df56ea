/** What has no meaning in a run whose length is a budget. */
import { type ChosenBatching, changesBy } from "../batching/index.js";
import type { ArmSections } from "./arm-schema.js";
import type { Checker } from "./checker.js";

/** @throws IbatchError naming the option. `batching`: its rule with all options. */
export function refuseByBudget(checker: Checker, { budget, order }: ArmSections, batching: ChosenBatching): void {
  if (budget === undefined) return;
  if (order.shuffledLastEpoch) refuseEndOfUnknownCost(checker, budget, batching);
  if (budget.updates === undefined) return;
  if (batching.options.ratesOf !== undefined) {
    throw checker.mistake(
      ["batching", "ratesOf"],
      "with a budget of updates the other rule would train on other samples, so no two batches correspond: take a budget of samples",
    );
  }
}

/** What a shuffle at the end costs is kept of the budget before it is known where that end begins. */
function refuseEndOfUnknownCost(
  checker: Checker,
  { updates }: NonNullable<ArmSections["budget"]>,
  batching: ChosenBatching,
): void {
  const by = changesBy(batching);
  const mistake = (what: string) => checker.mistake(["order", "shuffledLastEpoch"], what);
  if (batching.options.lastBatch === "drop" && by !== "nothing") {
    throw mistake(
      "what a shuffle drops at the end of a budget depends on the size there: take lastBatch: keep or scale",
    );
  }
  if (updates !== undefined && (by === "epoch" || by === "epochs")) {
    throw mistake(
      "how many updates a shuffle takes at the end of a budget depends on the epoch that it is: take a budget of samples",
    );
  }
}
