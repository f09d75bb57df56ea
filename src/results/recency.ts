/** Whether a run's end says more of its last batches than of its training: evaluations before the last epoch's end. */
import type { ArmFindings, Findings, MeanOverRuns, WithinLastEpoch } from "../record/findings-document.js";
import type { Column, Layout } from "./layout.js";
import { PERCENT, signed } from "./number-text.js";
import type { TimedRun } from "./recorded-experiment.js";
import { meanOver } from "./summary.js";
import { percent } from "./summary-text.js";

/** Of an arm's runs that are done; undefined where none was evaluated within its last epoch. */
export function withinLastEpochOf(runs: readonly TimedRun[]): WithinLastEpoch | undefined {
  const found = runs.flatMap(({ state, metrics }) => {
    const last = state === "done" ? metrics.at(-1) : undefined;
    const before = (last?.within ?? []).flatMap(({ test }) => test?.accuracy ?? []);
    const end = last?.test?.accuracy;
    return end === undefined || before.length === 0 ? [] : [{ before, end }];
  });
  const meansBefore = found.map(({ before }) => before.reduce((sum, one) => sum + one, 0) / before.length);
  const before = meanOver(meansBefore);
  const rise = meanOver(found.map(({ end }, at) => end - meansBefore[at]));
  const range = meanOver(found.map(({ before, end }) => Math.max(...before, end) - Math.min(...before, end)));
  return before && rise && range ? { before, rise, range } : undefined;
}

export const RECENCY_TITLE =
  "Recency: test accuracy within the last epoch (evaluation.perEpoch). An arm whose end differs from what came before by more " +
  "than the baseline's does may be shown by its last batches";

interface RecentArm extends Pick<ArmFindings, "arm"> {
  readonly within: WithinLastEpoch;
}

/** Arms that were evaluated before their end. */
export const recentArms = ({ arms }: Pick<Findings, "arms">): RecentArm[] =>
  arms.flatMap(({ arm, withinLastEpoch }) => (withinLastEpoch === undefined ? [] : [{ arm, within: withinLastEpoch }]));

export const RECENCY_COLUMNS: readonly Column<RecentArm>[] = [
  { title: "mean before its end, %", rank: 1, cell: ({ within }) => text(within.before, percent) },
  { title: "end − mean before, points", rank: 0, cell: ({ within }) => text(within.rise, points) },
  { title: "highest − lowest, points", rank: 2, cell: ({ within }) => text(within.range, percent) },
];

const points = (share: number): string => signed(PERCENT * share, 2);

const text = ({ mean, sd }: MeanOverRuns, format: (share: number) => string): string =>
  sd === null ? format(mean) : `${format(mean)} ± ${percent(sd)}`;

/** A row an arm; none where no arm was evaluated within its last epoch. */
export function recencyTables(findings: Findings, layout: Layout): string[] {
  const arms = recentArms(findings);
  if (arms.length === 0) return [];
  const columns: Column<RecentArm>[] = [{ title: "arm", rank: 0, cell: ({ arm }) => arm }, ...RECENCY_COLUMNS];
  return [`${layout.line(RECENCY_TITLE)}\n\n${layout.table(columns, arms)}`];
}
