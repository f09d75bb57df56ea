/** What arms are compared by: how a measure is called, and in which unit its differences are shown. */
import type { MeasureKind } from "../record/findings-document.js";
import { PERCENT } from "./number-text.js";

export interface ShownMeasure {
  readonly kind: MeasureKind;
  readonly name: string;
  readonly names: string;
  /** From the measure's own unit to the one shown. */
  readonly scale: number;
  readonly digits: number;
  /** Behind a difference, with a space before it; a loss has the unit of its function. */
  readonly unit: string;
  readonly higherIsBetter: boolean;
}

export const MEASURES: Readonly<Record<MeasureKind, ShownMeasure>> = {
  accuracy: {
    kind: "accuracy",
    name: "test accuracy",
    names: "test accuracies",
    scale: PERCENT,
    digits: 2,
    unit: " points",
    higherIsBetter: true,
  },
  loss: {
    kind: "loss",
    name: "test loss",
    names: "test losses",
    scale: 1,
    digits: 4,
    unit: "",
    higherIsBetter: false,
  },
};

/** The one that claims nothing beside the primary one. */
export const otherThan = (primary: MeasureKind): ShownMeasure => MEASURES[primary === "loss" ? "accuracy" : "loss"];
