/** What it cost each arm to reach the target, and where the seconds went. */
import { type ArmCost, type CostKind, type CostSpread, meanSeconds, PARTS_OF_SECONDS } from "../cost.js";
import type { Findings } from "../findings.js";
import { percent } from "../summary-text.js";
import { lookFor } from "./curves.js";
import { dataTable } from "./data-table.js";
import { type Html, html } from "./html.js";
import type { Look } from "./looks.js";
import { swatch } from "./swatch.js";

const whole = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 1 });
const seconds = (value: number): string => value.toFixed(value < 10 ? 2 : 1);

const COLUMNS: readonly {
  readonly name: string;
  readonly kind: CostKind;
  readonly format: (value: number) => string;
}[] = [
  { name: "epochs", kind: "epochs", format: whole },
  { name: "samples trained on", kind: "samples", format: whole },
  { name: "samples scored", kind: "scored", format: whole },
  { name: "seconds", kind: "seconds.total", format: seconds },
];

export function costTable(findings: Findings, looks: ReadonlyMap<string, Look>): Html | undefined {
  const { target, arms, baseline } = findings;
  const shown = arms.flatMap(({ arm, cost }) => (cost === null ? [] : [{ arm, cost }]));
  if (target === null || shown.length === 0) return undefined;
  const columns = COLUMNS.filter(({ kind }) => shown.some(({ cost }) => isSpent(cost.spread[kind])));
  const from = target.from === "config" ? "as the config says" : `what ${baseline} ends with in the mean`;
  const costs = dataTable({
    id: "cost-to-target",
    note: `What it cost to reach ${percent(target.accuracy)} % test accuracy for the first time (${from}): the median over the runs, one that did not reach it counted as dearer than any.`,
    columns: ["arm", "reached it", ...columns.map(({ name }) => name)],
    rows: shown.map(({ arm, cost }) => ({
      name: nameOf(arm, looks),
      cells: [reached(cost), ...columns.map(({ kind, format }) => median(cost.spread[kind], format))],
      isBaseline: arm === baseline,
    })),
  });
  return html`${costs}${secondsTable(shown, baseline, looks)}`;
}

interface ArmWithCost {
  readonly arm: string;
  readonly cost: ArmCost;
}

/** Where the seconds went: parts that add up, so means and not medians. */
function secondsTable(
  shown: readonly ArmWithCost[],
  baseline: string | undefined,
  looks: ReadonlyMap<string, Look>,
): Html | undefined {
  const timed = shown.flatMap(({ arm, cost }) => {
    const mean = meanSeconds(cost);
    return mean === null ? [] : [{ arm, mean }];
  });
  if (timed.length === 0) return undefined;
  const parts = PARTS_OF_SECONDS.filter((part) => timed.some(({ mean }) => mean[part] > 0));
  const kinds = [...parts, "total", "ordering"] as const;
  return dataTable({
    id: "seconds-to-target",
    note: "Where these seconds went, and their sum: mean over the runs that reached it. Orders are made within the waiting, or while the backend evaluates, so ordering is no part of the sum.",
    columns: ["arm", ...parts, "sum", "ordering"],
    rows: timed.map(({ arm, mean }) => ({
      name: nameOf(arm, looks),
      cells: kinds.map((kind) => mean[kind].toFixed(2)),
      isBaseline: arm === baseline,
    })),
  });
}

const nameOf = (arm: string, looks: ReadonlyMap<string, Look>): Html =>
  html`${looks.has(arm) ? swatch(lookFor(looks, arm)) : undefined}${arm}`;

/** A column of noughts says nothing. */
const isSpent = (spread: CostSpread | null): boolean => spread !== null && spread.largest > 0;

function reached({ reached: count, notReached, unfinished }: ArmCost): string {
  const under = unfinished > 0 ? `, ${unfinished} under way` : "";
  return `${count} of ${count + notReached + unfinished}${under}`;
}

const median = (spread: ArmCost["spread"][CostKind], format: (value: number) => string): string =>
  spread === null || spread.median === null ? "–" : format(spread.median);
