/** What the planned comparisons show, in one line before the sentences on each of them. */
import type { Comparison, Findings } from "../record/findings-document.js";
import { MEASURES } from "./shown-measure.js";
import { verdictOn } from "./verdict.js";

/** Undefined where one or none was planned: its own sentence says it. */
export function plannedSummary({
  comparisons,
  primary,
}: Pick<Findings, "comparisons" | "primary">): string | undefined {
  const planned = comparisons.filter((one) => one.planned);
  if (planned.length < 2) return undefined;
  const measure = MEASURES[primary];
  const kindOf = (one: Comparison): Kind => {
    const { difference, isEquivalent } = verdictOn(one[primary], measure);
    return difference ?? (isEquivalent ? "equivalent" : "undecided");
  };
  const shown = KINDS.flatMap((kind) => {
    const found = planned.filter((one) => kindOf(one) === kind).map(({ name }) => name);
    return found.length === 0 ? [] : [`${found.length} ${kind} (${found.join(", ")})`];
  });
  const of = `Of the ${planned.length} planned comparisons in ${measure.name}`;
  if (shown.length === 0) return `${of} none shows a difference.`;
  const undecided = planned.filter((one) => kindOf(one) === "undecided").length;
  return `${of}: ${[...shown, ...(undecided === 0 ? [] : [`${undecided} undecided`])].join("; ")}.`;
}

const KINDS = ["better", "worse", "equivalent"] as const;
type Kind = (typeof KINDS)[number] | "undecided";
