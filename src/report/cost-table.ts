/** The table's part on what it costs to reach the target accuracy. */
import { type ArmCost, type CostKind, meanSeconds, PARTS_OF_SECONDS, type SecondsKind } from "./cost.js";
import type { ArmFindings, Findings } from "./findings.js";
import type { Column, Layout } from "./layout.js";
import { describeTarget } from "./notes.js";
import { plain } from "./number-text.js";

/** To the target; and where its seconds go, where a run reached it. None without a target. */
export function costTables({ target, baseline, arms }: Findings, layout: Layout): string[] {
  const costs = arms.flatMap((arm) => (arm.cost === null ? [] : [{ ...arm, cost: arm.cost }]));
  if (target === null || costs.length === 0) return [];
  const timed = costs.filter(({ cost }) => meanSeconds(cost) !== null);
  const title = `Cost to reach ${describeTarget(target, baseline)}: mean over seeds (least to most)`;
  return [
    `${layout.line(title)}\n\n${layout.table(columnsOf(costs), costs)}`,
    ...(timed.length === 0
      ? []
      : [`${layout.line(SPLIT_TITLE)}\n\n${layout.table(splitOf(timed), timed)}\n${layout.line(ORDERING_NOTE)}\n`]),
  ];
}

type ArmWithCost = ArmFindings & { readonly cost: ArmCost };

interface Kind {
  readonly kind: CostKind;
  readonly title: string;
  /** From its own unit to the one shown. */
  readonly scale: number;
  readonly digits: number;
  readonly rank: number;
}

const THOUSANDTH = 1e-3;
const KINDS: readonly Kind[] = [
  { kind: "epochs", title: "epochs", scale: 1, digits: 1, rank: 0 },
  { kind: "samples", title: "1000 samples trained on", scale: THOUSANDTH, digits: 1, rank: 1 },
  { kind: "scored", title: "1000 scored", scale: THOUSANDTH, digits: 1, rank: 3 },
  { kind: "seconds.total", title: "seconds", scale: 1, digits: 1, rank: 2 },
];

const NAME: Column<ArmWithCost> = { title: "arm", cell: ({ arm }) => arm, rank: 0 };

/** A kind that nobody spent anything on is left out. */
const columnsOf = (costs: readonly ArmWithCost[]): Column<ArmWithCost>[] => [
  NAME,
  { title: "reached", cell: ({ cost }) => reached(cost), rank: 0 },
  ...KINDS.filter(
    ({ kind }) => kind !== "scored" || costs.some(({ cost }) => (cost.spread.scored?.largest ?? 0) > 0),
  ).map((kind) => ({ title: kind.title, cell: (arm: ArmWithCost) => costText(arm, kind), rank: kind.rank })),
];

function reached({ reached: there, notReached, unfinished, runs }: ArmCost): string {
  const parts = [`${there} of ${runs.length}`];
  if (notReached > 0) parts.push(`${notReached} never`);
  if (unfinished > 0) parts.push(`${unfinished} not yet`);
  return parts.join(", ");
}

/** The mean with its range; where runs never reach the target the median, if as many as half of them do. */
function costText({ meanCost, cost }: ArmWithCost, { kind, scale, digits }: Kind): string {
  const spread = cost.spread[kind];
  if (meanCost === null) {
    const median = spread?.median ?? null;
    return median === null ? "–" : `median ${plain(scale * median, digits)}`;
  }
  const { mean } = meanCost[kind];
  if (mean === null || spread === null) return "–";
  const [least, most] = [spread.smallest, spread.largest].map((value) => plain(scale * value, digits));
  return least === most ? plain(scale * mean, digits) : `${plain(scale * mean, digits)} (${least} to ${most})`;
}

// --- Where the seconds go

const SPLIT_TITLE = "Where these seconds go, and their sum: mean over the runs that reached it";
const ORDERING_NOTE =
  "ordering: making orders, within the waiting or while the backend evaluates; it is no part of the sum";

const seconds = (kind: SecondsKind): Column<ArmWithCost> => ({
  title: kind === "total" ? "sum" : kind,
  rank: kind === "ordering" ? 1 : 0,
  cell: ({ cost }) => {
    const mean = meanSeconds(cost);
    return mean === null ? "–" : mean[kind].toFixed(2);
  },
});

/** A part that nobody spent a second on is left out. */
const splitOf = (timed: readonly ArmWithCost[]): Column<ArmWithCost>[] => [
  NAME,
  ...PARTS_OF_SECONDS.filter((part) => timed.some(({ cost }) => (meanSeconds(cost)?.[part] ?? 0) > 0)).map(seconds),
  seconds("total"),
  seconds("ordering"),
];
