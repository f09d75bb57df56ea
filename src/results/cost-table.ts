/** The table's part on what it costs to reach the target accuracy. */
import { type CostKind, type Findings, PARTS_OF_SECONDS, type SecondsKind } from "../record/findings-document.js";
import {
  costText,
  measureOf,
  reachedText,
  SECONDS,
  type ShownCost,
  type ShownKind,
  type Split,
  splitOf,
} from "./cost-text.js";
import type { Column, Layout } from "./layout.js";
import { describeTarget } from "./notes.js";

/** To the target; and where its seconds go, of arms whose cost is known. None without a target. */
export function costTables({ target, baseline, arms }: Findings, layout: Layout): string[] {
  const costs = arms.flatMap((arm) => (arm.cost === null ? [] : [{ ...arm, cost: arm.cost }]));
  if (target === null || costs.length === 0) return [];
  const columns = columnsOf(costs);
  const hasSeconds = layout.shown(columns, costs).some(({ title }) => title === SECONDS.title);
  const title = `Cost to reach ${describeTarget(target, baseline)}${measureOf(costs)}`;
  return [`${layout.line(title)}\n\n${layout.table(columns, costs)}`, ...splitTable(costs, hasSeconds, layout)];
}

/** `hasSeconds`: whether the table above has those that this one splits. */
function splitTable(costs: readonly ShownCost[], hasSeconds: boolean, layout: Layout): string[] {
  const { arms, over } = splitOf(costs);
  if (arms.length === 0) return [];
  const columns = partsOf(arms);
  const title = `${hasSeconds ? "Where these seconds go" : "Seconds to reach it, where they go"}, and their sum: ${over}`;
  const hasOrdering = layout.shown(columns, arms).some((column) => column.title === "ordering");
  const note = hasOrdering ? `\n${layout.line(ORDERING_NOTE)}\n` : "";
  return [`${layout.line(title)}\n\n${layout.table(columns, arms)}${note}`];
}

interface Kind extends ShownKind {
  readonly kind: CostKind;
  readonly title: string;
  readonly rank: number;
}

const THOUSANDTH = 1e-3;
const KINDS: readonly Kind[] = [
  { kind: "epochs", title: "epochs", scale: 1, digits: 1, rank: 0 },
  { kind: "samples", title: "1000 samples trained on", scale: THOUSANDTH, digits: 1, rank: 1 },
  { kind: "scored", title: "1000 scored", scale: THOUSANDTH, digits: 1, rank: 3 },
  { ...SECONDS, rank: 2 },
];

const NAME: Column<ShownCost> = { title: "arm", cell: ({ arm }) => arm, rank: 0 };

/** A kind that nobody spent anything on is left out. */
const columnsOf = (costs: readonly ShownCost[]): Column<ShownCost>[] => [
  NAME,
  { title: "reached", cell: ({ cost }) => reachedText(cost), rank: 0 },
  ...KINDS.filter(
    ({ kind }) => kind !== "scored" || costs.some(({ cost }) => (cost.spread.scored?.largest ?? 0) > 0),
  ).map((kind) => ({ title: kind.title, cell: (arm: ShownCost) => costText(arm, kind), rank: kind.rank })),
];

// --- Where the seconds go

const ORDERING_NOTE =
  "ordering: making orders, within the waiting or while the backend evaluates; it is no part of the sum";

type Timed = Split["arms"][number];

const seconds = (kind: SecondsKind): Column<Timed> => ({
  title: kind === "total" ? "sum" : kind,
  rank: kind === "ordering" ? 1 : 0,
  cell: ({ mean }) => mean[kind].toFixed(2),
});

/** A part that nobody spent a second on is left out. */
const partsOf = (timed: readonly Timed[]): Column<Timed>[] => [
  { title: "arm", cell: ({ arm }) => arm, rank: 0 },
  ...PARTS_OF_SECONDS.filter((part) => timed.some(({ mean }) => mean[part] > 0)).map(seconds),
  seconds("total"),
  seconds("ordering"),
];
