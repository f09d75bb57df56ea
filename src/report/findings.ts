/** What an experiment says, with how sure: a pure function of what its runs recorded and of the answer of the statistics. */
import type { ArmCost, CostKind } from "./cost.js";
import type { Description, Difference } from "./statistics.js";

export interface Findings {
  readonly baseline: string | undefined;
  readonly confidence: number;
  readonly target: Target | null;
  /** In the config's sequence, then others on record. */
  readonly arms: readonly ArmFindings[];
  /** All of them: each arm with the baseline, then those that were planned with another arm. Empty without statistics. */
  readonly comparisons: readonly Comparison[];
  /** What carries the claim, too few seeds, what intervals are of. */
  readonly notes: readonly string[];
  /** Of normalisation: an arm's accuracy that depends on the statistics that BatchNorm keeps. */
  readonly alarms: readonly { readonly arm: string; readonly text: string }[];
  /** Why there are no statistics; undefined where there are. Means and spreads are there either way. */
  readonly lack?: string;
}

/** Test accuracy, 0 … 1, that costs are counted up to. */
export interface Target {
  readonly accuracy: number;
  readonly from: "config" | "baseline";
}

export interface ArmFindings {
  readonly arm: string;
  /** Last epoch's test accuracy over the runs that are done, 0 … 1. */
  readonly accuracy: Description;
  /** Last epoch's test loss over the runs that are done. */
  readonly loss: Description;
  /** Where runs answer one class whatever they see; begins after the arm's name. */
  readonly collapsed?: string;
  /** Where the config holds out a validation part. */
  readonly validation?: Best;
  /** With the baseline; absent for the baseline itself, without a baseline, and without statistics. */
  readonly comparison?: Comparison;
  /** To reach the target; null without a target. */
  readonly cost: ArmCost | null;
  /** Mean cost with its interval; null where a run ended below the target, for the others' mean is then too low. */
  readonly meanCost: Readonly<Record<CostKind, Description>> | null;
  /** Against the baseline, as a person would say it; begins after the arm's name. */
  readonly sentence?: string;
}

/** The epoch of the highest validation accuracy, the first among equals; the test set has no say. */
export interface Best {
  /** Epochs trained: 1 is the first one. */
  readonly epochs: Description;
  /** Test accuracy there, 0 … 1. */
  readonly accuracy: Description;
}

/** `arm` minus `with`, seed by seed. */
export interface Comparison {
  readonly arm: string;
  readonly with: string;
  /** `arm − with`. */
  readonly name: string;
  /** In the config: Holm's correction is over these. The others are exploratory. */
  readonly planned: boolean;
  /** The one measure that claims something. */
  readonly accuracy: Difference;
  /** Descriptive. */
  readonly loss: Difference;
  /** Over the runs of each that are done. */
  readonly means: Readonly<Record<"accuracy" | "loss", { readonly arm: number | null; readonly with: number | null }>>;
  /** Of what reaching the target cost, over seeds that reached it in both; null without a target. Never corrected. */
  readonly cost: Readonly<Record<"epochs" | "samples" | "scored" | "seconds.total", Difference>> | null;
  /** As a person would say it; begins after the arm's name. */
  readonly sentence: string;
}
