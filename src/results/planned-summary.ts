/** What the planned comparisons show, in one line before the sentences on each of them. */
import type { Findings } from "../record/findings-document.js";
import type { Difference } from "../record/statistics-document.js";
import { MEASURES, type ShownMeasure } from "./shown-measure.js";
import { canClaim, verdictOn, verdictText } from "./verdict.js";

/** Undefined where one or none was planned: its own sentence says it. */
export function plannedSummary({
  comparisons,
  primary,
}: Pick<Findings, "comparisons" | "primary">): string | undefined {
  const planned = comparisons.filter((one) => one.planned);
  if (planned.length < 2) return undefined;
  const measure = MEASURES[primary];
  const found = planned.map(({ name, [primary]: difference }) => ({ name, kind: kindOf(difference, measure) }));
  const namesOf = (kind: string) => found.filter((one) => one.kind === kind).map(({ name }) => name);
  const shown = SHOWN.map((kind) => ({ kind, names: namesOf(kind) })).filter(({ names }) => names.length > 0);
  const others = OTHERS.map(({ kind, text }) => ({ text, count: namesOf(kind).length })).filter(
    ({ count }) => count > 0,
  );
  const parts = [
    ...shown.map(({ kind, names }) => `${names.length} ${kind} (${names.join(", ")})`),
    ...others.map(({ count, text }) => `${count} ${text}`),
  ];
  const of = `Of the ${planned.length} planned comparisons in ${measure.name}`;
  if (shown.length > 0) return `${of}: ${parts.join("; ")}.`;
  if (namesOf("undecided").length === planned.length) return `${of} none shows a difference.`;
  return `${of} none ${namesOf("undecided").length > 0 ? "shows" : "could show"} a difference: ${parts.join("; ")}.`;
}

/** As the table says it, but for what lies within the margin. */
function kindOf(found: Difference, measure: ShownMeasure): string {
  const { difference } = verdictOn(found, measure);
  return canClaim(found) && difference !== null ? difference : verdictText(found, measure);
}

const SHOWN = ["better", "worse", "equivalent"];
const OTHERS = [
  { kind: "undecided", text: "undecided" },
  { kind: "too few seeds", text: "of too few seeds" },
  { kind: "no test", text: "without a test" },
  { kind: "no pairs", text: "without pairs" },
];
