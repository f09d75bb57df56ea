/**
 * What an arm says that earlier builds trained otherwise: it is recorded with the arm, and hashed, so that no run of theirs is
 * taken for one of it. Nothing reads it again.
 */
import { type ChosenBatching, changesBy, ratesOfRule } from "../batching/index.js";
import type { ArmSections } from "./arm-schema.js";

export interface MeantAnew {
  /** The epoch that a budget ends on is whole. */
  readonly shuffledLastEpoch?: "whole";
  /** Sizes of an epoch go by the share of the budget that is spent where it begins. */
  readonly sizesPerEpoch?: "spent";
}

/** Undefined where nothing is. `batching`: its rule with all options. */
export function meantAnew({ budget, order }: ArmSections, batching: ChosenBatching): MeantAnew | undefined {
  if (budget === undefined) return undefined;
  const rates = ratesOfRule(batching);
  const goesByEpochs = [batching, ...(rates ? [rates] : [])].some((rule) => changesBy(rule) === "epochs");
  if (!order.shuffledLastEpoch && !goesByEpochs) return undefined;
  return {
    ...(order.shuffledLastEpoch && { shuffledLastEpoch: "whole" }),
    ...(goesByEpochs && { sizesPerEpoch: "spent" }),
  };
}
