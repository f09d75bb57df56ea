import type { PlannedComparison } from "../config/planned-comparisons.js";
import type { FixedSeeds } from "../config/run-seeds.js";
import type { MeasureKind } from "../record/findings-document.js";
import type { RecordedArm } from "../record/run-document.js";

/** What of a resolved config its results depend on: an `ExperimentConfig` is one, and `experiment.json` holds one. */
export interface PlannedExperiment {
  readonly name: string;
  readonly seeds: readonly number[];
  /** Of what is the same in every run; absent where nothing is. */
  readonly fixedSeeds?: FixedSeeds | undefined;
  readonly baseline?: string | undefined;
  readonly comparisons: readonly PlannedComparison[];
  /** The one measure that carries verdicts. */
  readonly primary: MeasureKind;
  /** 0 … 1; null: the mean that the baseline's runs end with. */
  readonly targetAccuracy: number | null;
  /** Mean difference in the primary measure that counts as none; null: nothing is called equivalent. */
  readonly equivalenceMargin: number | null;
  readonly arms: Readonly<Record<string, PlannedArm>>;
}

export interface PlannedArm {
  /** Length of its runs; undefined where a budget of another kind says it. */
  readonly epochs?: number | undefined;
  readonly budget?: Readonly<RecordedArm["budget"]>;
  readonly order: PlannedOrder;
  /** Of which samples; a record of before may lack it. */
  readonly dataset?:
    | {
        readonly subset?: number | null | undefined;
        readonly subsetSeed?: string | undefined;
        readonly labelNoise?: unknown;
      }
    | undefined;
}

/** As the config names it; a record of before may lack its name and its options. */
export interface PlannedOrder {
  readonly changesObjective: boolean;
  readonly name?: string | undefined;
  readonly options?: Readonly<Record<string, unknown>> | undefined;
  readonly file?: unknown;
  readonly replay?: unknown;
  /** Whether its last epoch is one of `shuffled`. */
  readonly shuffledLastEpoch?: boolean | undefined;
}
