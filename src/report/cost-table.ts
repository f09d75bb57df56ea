/** The table's part on what it costs to reach the target accuracy. */
import type { ArmCost, CostKind } from "./cost.js";
import type { ArmFindings, Findings } from "./findings.js";
import { markdown } from "./markdown-table.js";
import { describeTarget } from "./notes.js";
import { plain, range } from "./number-text.js";

/** To the target; and where its seconds go. None without a target. */
export function costTables({ target, baseline, arms }: Findings): string[] {
  const costs = arms.flatMap((arm) => (arm.cost === null ? [] : [{ ...arm, cost: arm.cost }]));
  if (target === null || costs.length === 0) return [];
  const kinds: readonly Kind[] = [EPOCHS, SAMPLES, SCORED, TOTAL];
  const rows = costs.map((arm) => [arm.arm, reached(arm.cost), ...kinds.map((kind) => withInterval(arm, kind))]);
  const split = costs.map((arm) => [arm.arm, ...SPLIT.map((kind) => middle(arm, kind))]);
  return [
    `Cost to reach ${describeTarget(target, baseline)}: mean (95 % interval)\n\n${markdown(["arm", "reached", ...kinds.map(({ title }) => title)], rows)}`,
    `Where these seconds go\n\n${markdown(["arm", ...SPLIT.map(({ title }) => title)], split)}`,
  ];
}

interface Kind {
  readonly kind: CostKind;
  readonly title: string;
  /** From its own unit to the one shown. */
  readonly scale: number;
  readonly digits: number;
}

const THOUSANDTH = 1e-3;
const EPOCHS: Kind = { kind: "epochs", title: "epochs", scale: 1, digits: 1 };
const SAMPLES: Kind = { kind: "samples", title: "1000 samples trained on", scale: THOUSANDTH, digits: 1 };
const SCORED: Kind = { kind: "scored", title: "1000 scored", scale: THOUSANDTH, digits: 1 };
const TOTAL: Kind = { kind: "seconds.total", title: "seconds", scale: 1, digits: 1 };
const SPLIT: readonly Kind[] = (["training", "scoring", "evaluating", "ordering", "wire", "waiting"] as const).map(
  (title) => ({ kind: `seconds.${title}`, title, scale: 1, digits: 2 }),
);

type ArmWithCost = ArmFindings & { readonly cost: ArmCost };

function reached({ reached: there, notReached, unfinished, runs }: ArmCost): string {
  const parts = [`${there} of ${runs.length}`];
  if (notReached > 0) parts.push(`${notReached} never`);
  if (unfinished > 0) parts.push(`${unfinished} not yet`);
  return parts.join(", ");
}

/** The mean; where runs never reach the target the median, if as many as half of them do. */
function middle({ meanCost, cost }: ArmWithCost, { kind, scale, digits }: Kind): string {
  if (meanCost !== null) return meanCost[kind].mean === null ? "–" : plain(scale * meanCost[kind].mean, digits);
  const median = cost.spread[kind]?.median ?? null;
  return median === null ? "–" : `median ${plain(scale * median, digits)}`;
}

function withInterval(arm: ArmWithCost, kind: Kind): string {
  const interval = arm.meanCost?.[kind.kind].interval ?? null;
  const shown = middle(arm, kind);
  return interval === null ? shown : `${shown} (${range(interval, kind.digits, kind.scale)})`;
}
