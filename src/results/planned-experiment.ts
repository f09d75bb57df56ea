import type { PlannedComparison } from "../config/planned-comparisons.js";

/** What of a resolved config its results depend on: an `ExperimentConfig` is one, and `experiment.json` holds one. */
export interface PlannedExperiment {
  readonly name: string;
  readonly seeds: readonly number[];
  readonly baseline?: string | undefined;
  readonly comparisons: readonly PlannedComparison[];
  /** 0 … 1; null: the mean that the baseline's runs end with. */
  readonly targetAccuracy: number | null;
  /** Mean difference in test accuracy, 0 … 1, that counts as none; null: nothing is called equivalent. */
  readonly equivalenceMargin: number | null;
  readonly arms: Readonly<Record<string, PlannedArm>>;
}

export interface PlannedArm {
  /** Length of its runs. */
  readonly epochs: number;
  readonly order: { readonly changesObjective: boolean };
}
