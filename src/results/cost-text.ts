/** What it cost to reach the target, as table and page show it. */
import type { ArmCost, ArmFindings, CostKind } from "../record/findings-document.js";
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

/** What the numbers are over seeds; those that differ say so themselves. */
export const measureOf = (costs: readonly ShownCost[]): string =>
  costs.some((arm) => costText(arm, EPOCHS).startsWith(MEDIAN)) && costs.every(({ meanCost }) => meanCost === null)
    ? "median over seeds"
    : "mean over seeds (least to most)";

const EPOCHS: ShownKind = { kind: "epochs", scale: 1, digits: 1 };
const MEDIAN = "median";

/** The mean with its range; where runs never reach the target the median, if more than half of them do. */
export function costText({ meanCost, cost }: ShownCost, { kind, scale, digits }: ShownKind): string {
  const spread = cost.spread[kind];
  if (meanCost === null) {
    const median = spread?.median ?? null;
    return median === null ? "–" : `${MEDIAN} ${plain(scale * median, digits)}`;
  }
  const { mean } = meanCost[kind];
  if (mean === null || spread === null) return "–";
  const [least, most] = [spread.smallest, spread.largest].map((value) => plain(scale * value, digits));
  return least === most ? plain(scale * mean, digits) : `${plain(scale * mean, digits)} (${least} to ${most})`;
}
