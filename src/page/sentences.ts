/** A sentence an arm against the baseline: those of the statistics, else what the paired differences show. */
import type { Findings } from "../record/findings-document.js";
import { isFinished } from "../record/run-document.js";
import { counted, signed } from "../results/number-text.js";
import type { ArmData, ReportData, RunData } from "./data.js";

export interface Sentence {
  readonly arm: string;
  /** Begins after the arm's name. */
  readonly text: string;
  /** Of what was not planned, and claims nothing. */
  readonly isExploratory: boolean;
}

export const sentencesOf = (data: ReportData, findings: Findings | undefined): readonly Sentence[] =>
  hasStatistics(findings)
    ? findings.comparisons.map(({ arm, sentence, planned }) => ({ arm, text: sentence, isExploratory: !planned }))
    : plainSentences(data);

/** Whether there are statistics: without a Python that has scipy, findings lack them. */
export const hasStatistics = (findings: Findings | undefined): findings is Findings =>
  findings !== undefined && findings.lack === undefined;

/** Mean of the paired differences over the seeds that both arms finished, and their range. */
function plainSentences({ arms, baseline }: ReportData): Sentence[] {
  const base = arms.find(({ arm }) => arm === baseline);
  if (base === undefined) return [];
  return arms
    .filter((arm) => arm !== base)
    .map((arm) => ({ arm: arm.arm, text: compare(arm, base), isExploratory: false }));
}

function compare(arm: ArmData, base: ArmData): string {
  const accuracies = finalAccuracies(base.runs);
  const pairs = [...finalAccuracies(arm.runs)].flatMap(([seed, accuracy]) => {
    const other = accuracies.get(seed);
    return other === undefined ? [] : [100 * (accuracy - other)];
  });
  const diverged = divergedIn(arm, base);
  if (pairs.length === 0) {
    const yet = [...arm.runs, ...base.runs].some(({ document }) => !isFinished(document)) ? " yet" : "";
    return `cannot be compared with ${base.arm}${yet}: no seed was finished by both.${diverged}`;
  }
  const mean = pairs.reduce((total, difference) => total + difference, 0) / pairs.length;
  const than = `${base.arm} in test accuracy`;
  const size = Math.abs(mean).toFixed(2);
  const head =
    Number(size) === 0
      ? `differs from ${base.arm} by 0.00 points of test accuracy`
      : `is ${size} points ${mean < 0 ? "below" : "above"} ${than}`;
  if (pairs.length === 1) return `${head}, on the one seed that both finished.${diverged}`;
  const range = `${signed(Math.min(...pairs), 2)} to ${signed(Math.max(...pairs), 2)}`;
  return `${head}, in the mean over ${counted(pairs.length, "paired seed")} (${range}).${diverged}`;
}

/** What such differences leave out: they are of survivors alone. */
function divergedIn(arm: ArmData, base: ArmData): string {
  const [own, theirs] = [arm, base].map(
    ({ runs }) => runs.filter(({ document }) => document.state === "diverged").length,
  );
  if (own + theirs === 0) return "";
  return ` It diverged in ${own} of ${counted(arm.runs.length, "run")}, ${base.arm} in ${theirs} of ${base.runs.length}, which have no part in this.`;
}

const finalAccuracies = (runs: readonly RunData[]): ReadonlyMap<number, number> =>
  new Map(
    runs.flatMap(({ seed, document, metrics }) => {
      const accuracy = document.state === "done" ? metrics.at(-1)?.test?.accuracy : undefined;
      return accuracy === undefined ? [] : [[seed, accuracy] as const];
    }),
  );
