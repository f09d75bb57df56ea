/** What it cost each arm to reach the target, and where the seconds went. */
import { type CostSpread, type Findings, PARTS_OF_SECONDS } from "../record/findings-document.js";
import {
  costText,
  measureOf,
  reachedText,
  SECONDS,
  type ShownCost,
  type ShownKind,
  splitOf,
} from "../results/cost-text.js";
import { percent } from "../results/summary-text.js";
import { lookFor } from "./curves.js";
import { dataTable } from "./data-table.js";
import { type Html, html } from "./html.js";
import type { Look } from "./looks.js";
import { swatch } from "./swatch.js";

const COLUMNS: readonly (ShownKind & { readonly title: string })[] = [
  { title: "epochs", kind: "epochs", scale: 1, digits: 1 },
  { title: "samples trained on", kind: "samples", scale: 1, digits: 0 },
  { title: "samples scored", kind: "scored", scale: 1, digits: 0 },
  SECONDS,
];

export function costTable(findings: Findings, looks: ReadonlyMap<string, Look>): Html | undefined {
  const { target, arms, baseline } = findings;
  const shown = arms.flatMap((arm) => (arm.cost === null ? [] : [{ ...arm, cost: arm.cost }]));
  if (target === null || shown.length === 0) return undefined;
  const columns = COLUMNS.filter(({ kind }) => shown.some(({ cost }) => isSpent(cost.spread[kind])));
  const from = target.from === "config" ? "as the config says" : `what ${baseline} ends with in the mean`;
  const costs = dataTable({
    id: "cost-to-target",
    note: `What it cost to reach ${percent(target.accuracy)} % test accuracy for the first time (${from})${measureOf(shown)}.`,
    columns: ["arm", "reached it", ...columns.map(({ title }) => title)],
    rows: shown.map((one) => ({
      name: armName(one.arm, looks),
      cells: [reachedText(one.cost), ...columns.map((kind) => costText(one, kind))],
      isBaseline: one.arm === baseline,
    })),
  });
  return html`${costs}${secondsTable(shown, baseline, looks)}`;
}

/** Where the seconds went, of arms whose cost is known: parts that add up, so means and not medians. */
function secondsTable(
  shown: readonly ShownCost[],
  baseline: string | undefined,
  looks: ReadonlyMap<string, Look>,
): Html | undefined {
  const { arms, over } = splitOf(shown);
  if (arms.length === 0) return undefined;
  const parts = PARTS_OF_SECONDS.filter((part) => arms.some(({ mean }) => mean[part] > 0));
  const kinds = [...parts, "total", "ordering"] as const;
  return dataTable({
    id: "seconds-to-target",
    note: `Where these seconds went, and their sum: ${over}. Orders are made within the waiting, or while the backend evaluates, so ordering is no part of the sum.`,
    columns: ["arm", ...parts, "sum", "ordering"],
    rows: arms.map(({ arm, mean }) => ({
      name: armName(arm, looks),
      cells: kinds.map((kind) => mean[kind].toFixed(2)),
      isBaseline: arm === baseline,
    })),
  });
}

export const armName = (arm: string, looks: ReadonlyMap<string, Look>): Html =>
  html`${looks.has(arm) ? swatch(lookFor(looks, arm)) : undefined}${arm}`;

/** A column of noughts says nothing. */
const isSpent = (spread: CostSpread | null): boolean => spread !== null && spread.largest > 0;
