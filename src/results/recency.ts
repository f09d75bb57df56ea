/** Whether a run's end says more of its last batches than of its training: evaluations before that, and means of weights. */
import type { EpochMetrics, Measured } from "../record/epoch-metrics.js";
import type {
  ArmFindings,
  AveragedWeights,
  Findings,
  MeanOverRuns,
  WithinLastEpoch,
} from "../record/findings-document.js";
import { fromRecorded } from "../record/number.js";
import type { Column, Layout } from "./layout.js";
import { PERCENT, signed } from "./number-text.js";
import type { TimedRun } from "./recorded-experiment.js";
import { meanOver } from "./summary.js";
import { lossText, percent } from "./summary-text.js";

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

/** Of an arm's runs that are done; undefined where no mean of the weights was evaluated. */
export function averagedWeightsOf(runs: readonly TimedRun[]): AveragedWeights | undefined {
  const found = runs.flatMap(({ state, metrics }) => {
    const last = state === "done" ? metrics.at(-1) : undefined;
    const averaged = last?.averaged?.test;
    return last?.test === undefined || averaged === undefined ? [] : [{ averaged, end: endAlike(last) }];
  });
  const accuracy = meanOver(found.map(({ averaged }) => averaged.accuracy));
  const gains = found.flatMap(({ averaged, end }) => (end === undefined ? [] : averaged.accuracy - end.accuracy));
  const gain = gains.length < found.length ? undefined : meanOver(gains);
  const loss = meanOver(found.map(({ averaged }) => fromRecorded(averaged.loss)));
  return accuracy && loss ? { accuracy, loss, ...(gain && { gain }) } : undefined;
}

/** The last weights under the statistics of their mean; undefined where BatchNorm's were others, as in early records. */
const endAlike = ({ test, averaged, batchNorm }: EpochMetrics): Measured | undefined =>
  averaged?.lastReestimated ?? (batchNorm === undefined ? test : undefined);

export const RECENCY_TITLE =
  "Recency: test accuracy within the last epoch (evaluation.perEpoch), and of averaged weights (evaluation.averaged), with " +
  "BatchNorm against last weights under re-estimated statistics, too. An arm whose end differs from these by more than the " +
  "baseline's does may be shown by its last batches";

type RecentArm = Pick<ArmFindings, "arm" | "withinLastEpoch" | "averagedWeights">;

/** Arms of which there is something to tell. */
export const recentArms = ({ arms }: Pick<Findings, "arms">): readonly RecentArm[] =>
  arms.filter(({ withinLastEpoch, averagedWeights }) => withinLastEpoch !== undefined || averagedWeights !== undefined);

/** Those that have a value in some arm. */
export const recencyColumns = (arms: readonly RecentArm[]): readonly Column<RecentArm>[] => [
  ...(arms.some(({ withinLastEpoch }) => withinLastEpoch !== undefined) ? WITHIN : []),
  ...(arms.some(({ averagedWeights }) => averagedWeights !== undefined) ? AVERAGED : []),
];

const WITHIN: readonly Column<RecentArm>[] = [
  { title: "mean before its end, %", rank: 2, cell: ({ withinLastEpoch }) => text(withinLastEpoch?.before, percent) },
  { title: "end − mean before, points", rank: 0, cell: ({ withinLastEpoch }) => text(withinLastEpoch?.rise, points) },
  { title: "highest − lowest, points", rank: 3, cell: ({ withinLastEpoch }) => text(withinLastEpoch?.range, percent) },
];

const AVERAGED: readonly Column<RecentArm>[] = [
  { title: "averaged, %", rank: 0, cell: ({ averagedWeights }) => text(averagedWeights?.accuracy, percent) },
  { title: "averaged − end, points", rank: 1, cell: ({ averagedWeights }) => text(averagedWeights?.gain, points) },
  {
    title: "averaged: test loss",
    rank: 4,
    cell: ({ averagedWeights }) => text(averagedWeights?.loss, lossText, lossText),
  },
];

const points = (share: number): string => signed(PERCENT * share, 2);

type Format = (value: number) => string;

function text(value: MeanOverRuns | undefined, format: Format, ofSpread: Format = percent): string {
  if (value === undefined || Number.isNaN(value.mean)) return "–";
  return value.sd === null ? format(value.mean) : `${format(value.mean)} ± ${ofSpread(value.sd)}`;
}

/** A row an arm; none where nothing was looked at but last weights at the ends of epochs. */
export function recencyTables(findings: Findings, layout: Layout): string[] {
  const arms = recentArms(findings);
  if (arms.length === 0) return [];
  const columns: Column<RecentArm>[] = [{ title: "arm", rank: 0, cell: ({ arm }) => arm }, ...recencyColumns(arms)];
  return [`${layout.line(RECENCY_TITLE)}\n\n${layout.table(columns, arms)}`];
}
