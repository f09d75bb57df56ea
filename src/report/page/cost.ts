/** What it cost each arm to reach the target, with where the seconds went. */
import type { ArmCost, CostKind, CostSpread } from "../cost.js";
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
  { name: "training", kind: "seconds.training", format: seconds },
  { name: "scoring", kind: "seconds.scoring", format: seconds },
  { name: "ordering", kind: "seconds.ordering", format: seconds },
  { name: "evaluating", kind: "seconds.evaluating", format: seconds },
  { name: "wire", kind: "seconds.wire", format: seconds },
  { name: "waiting", kind: "seconds.waiting", format: seconds },
];

export function costTable({ target, arms, baseline }: Findings, looks: ReadonlyMap<string, Look>): Html | undefined {
  const shown = arms.flatMap(({ arm, cost }) => (cost === null ? [] : [{ arm, cost }]));
  if (target === null || shown.length === 0) return undefined;
  const columns = COLUMNS.filter(({ kind }) => shown.some(({ cost }) => isSpent(cost.spread[kind])));
  const from = target.from === "config" ? "as the config says" : `what ${baseline} ends with in the mean`;
  return dataTable({
    id: "cost-to-target",
    note: `What it cost to reach ${percent(target.accuracy)} % test accuracy for the first time (${from}): the median over the runs, one that did not reach it counted as dearer than any. Of the seconds, those of training, scoring and so on stand beside their sum.`,
    columns: ["arm", "reached it", ...columns.map(({ name }) => name)],
    rows: shown.map(({ arm, cost }) => ({
      name: html`${looks.has(arm) ? swatch(lookFor(looks, arm)) : undefined}${arm}`,
      cells: [reached(cost), ...columns.map(({ kind, format }) => median(cost.spread[kind], format))],
      isBaseline: arm === baseline,
    })),
  });
}

/** A column of noughts says nothing. */
const isSpent = (spread: CostSpread | null): boolean => spread !== null && spread.largest > 0;

function reached({ reached: count, notReached, unfinished }: ArmCost): string {
  const under = unfinished > 0 ? `, ${unfinished} under way` : "";
  return `${count} of ${count + notReached + unfinished}${under}`;
}

const median = (spread: ArmCost["spread"][CostKind], format: (value: number) => string): string =>
  spread === null || spread.median === null ? "–" : format(spread.median);
