/** What it cost to reach the target, as table and page show it. */
import type { ArmCost, ArmFindings, CostKind, Seconds } from "../record/findings-document.js";
import { meanSeconds } from "./cost-to-reach.js";
import { plain } from "./number-text.js";

export type ShownCost = Pick<ArmFindings, "arm" | "meanCost"> & { readonly cost: ArmCost };

export interface ShownKind {
  readonly kind: CostKind;
  /** From its own unit to the one shown. */
  readonly scale: number;
  readonly digits: number;
}

export const SECONDS = { kind: "seconds.total", title: "seconds", scale: 1, digits: 1 } as const;

/** Runs that reached it, of those that came to a result or still may. */
export function reachedText({ reached, notReached, unfinished, failed, runs }: ArmCost): string {
  const parts = runs.length === 0 && failed > 0 ? [] : [`${reached} of ${runs.length}`];
  if (notReached > 0) parts.push(`${notReached} never`);
  if (unfinished > 0) parts.push(`${unfinished} not yet`);
  if (failed > 0) parts.push(`${failed} failed`);
  return parts.join(", ");
}

/** What the numbers are over seeds, after a colon; those that differ say so themselves. Empty where none is shown. */
export function measureOf(costs: readonly ShownCost[]): string {
  const shown = costs.map((arm) => costText(arm, EPOCHS)).filter((text) => text !== NONE);
  if (shown.length === 0) return "";
  return shown.every((text) => text.startsWith(MEDIAN)) ? ": median over seeds" : ": mean over seeds (least to most)";
}

const EPOCHS: ShownKind = { kind: "epochs", scale: 1, digits: 1 };
const MEDIAN = "median";
const NONE = "–";

/** The mean with its range; where runs never reach the target the median, if more than half of them do. */
export function costText({ meanCost, cost }: ShownCost, { kind, scale, digits }: ShownKind): string {
  const spread = cost.spread[kind];
  if (meanCost === null) {
    const median = spread?.median ?? null;
    return median === null ? NONE : `${MEDIAN} ${plain(scale * median, digits)}`;
  }
  const { mean } = meanCost[kind];
  if (mean === null || spread === null) return NONE;
  const [least, most] = [spread.smallest, spread.largest].map((value) => plain(scale * value, digits));
  return least === most ? plain(scale * mean, digits) : `${plain(scale * mean, digits)} (${least} to ${most})`;
}

/** Where seconds go, of arms that have some in the table of costs; and what these parts are the mean over. */
export interface Split {
  readonly arms: readonly { readonly arm: string; readonly mean: Seconds }[];
  readonly over: string;
}

/** Where no more than half of an arm's runs reach the target, those that do say nothing of the arm. */
export function splitOf(costs: readonly ShownCost[]): Split {
  const timed = costs.flatMap((one) => {
    const mean = meanSeconds(one.cost);
    return mean === null ? [] : [{ arm: one.arm, mean, isShown: costText(one, SECONDS) !== NONE }];
  });
  const isCut = timed.some(({ isShown }) => !isShown);
  return {
    arms: timed.filter(({ isShown }) => isShown),
    over: `mean over the runs that reached it${isCut ? ", of arms where more than half did" : ""}`,
  };
}
