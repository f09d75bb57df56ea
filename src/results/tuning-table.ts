/** Which learning rates were tried for each arm, which one it has, what that cost, and where the list was too short. */
import type { Findings } from "../record/findings-document.js";
import type { Trial, TunedArm, TuningDocument } from "../record/tuning-record.js";
import type { Column, Layout } from "./layout.js";
import { counted } from "./number-text.js";
import type { TimedRun } from "./recorded-experiment.js";
import { lossText, percent } from "./summary-text.js";

type Tuning = NonNullable<Findings["tuning"]>;

export function tuningTitle({ measure, seeds, validation }: Tuning): string {
  const unit = measure === "accuracy" ? ", %" : "";
  const samples = validation.samples === null ? "" : ` (${whole(validation.samples)})`;
  return (
    `Learning rates, tuned: ${nameOf(measure)}${unit} after the last epoch, mean ± sd over ${counted(seeds.length, "seed")} apart from those ` +
    `above, on ${percentOf(validation.share)} of the training samples${samples}, which these runs were not trained on; an arm has the best`
  );
}

/** Titles and cells as table and page have them. */
export const tuningColumns = ({ measure, arms }: Tuning): readonly Column<TunedArm>[] => [
  { title: "chosen", rank: 0, cell: ({ rate, end }) => (rate === null ? "none" : `${rate}${end ? END_MARK : ""}`) },
  ...ratesOf(arms).map((rate) => ({
    title: `at ${rate}`,
    rank: 1,
    cell: ({ trials }: TunedArm) => {
      const trial = trials.find((one) => one.rate === rate);
      return trial === undefined ? "–" : trialText(trial, measure);
    },
  })),
];

/** Beside a rate that is an end of the list; a note says what it means. */
const END_MARK = " !";

const ratesOf = (arms: readonly TunedArm[]): number[] =>
  [...new Set(arms.flatMap(({ trials }) => trials.map(({ rate }) => rate)))].sort((a, b) => a - b);

function trialText({ mean, sd, diverged, values }: Trial, measure: Tuning["measure"]): string {
  const text = measure === "accuracy" ? percent : lossText;
  const spread = sd === null ? "" : ` ± ${text(sd)}`;
  const ofThem = diverged === 0 ? [] : [`${diverged} of ${values.length} diverged`];
  return [...(mean === null ? [] : [`${text(mean)}${spread}`]), ...ofThem].join(", ") || "–";
}

export function tuningTables({ tuning }: Findings, layout: Layout): string[] {
  if (tuning === undefined) return [];
  const columns: Column<TunedArm>[] = [{ title: "arm", rank: 0, cell: ({ arm }) => arm }, ...tuningColumns(tuning)];
  return [`${layout.line(tuningTitle(tuning))}\n\n${layout.table(columns, tuning.arms)}`];
}

/** `runs`: those of the arms with their rates. */
export function tuningNotes(tuning: TuningDocument | undefined, runs: readonly TimedRun[]): string[] {
  if (tuning === undefined) return [];
  return [
    claimText(tuning),
    ...(["lowest", "highest"] as const).flatMap((end) => endNote(tuning, end)),
    costText(tuning, runs),
  ];
}

const claimText = ({ measure, seeds, arms }: TuningDocument): string =>
  `Learning rates are tuned: each arm has the best of ${ratesOf(arms).length} by its mean ${nameOf(measure)} over ` +
  `${counted(seeds.length, "run")} each, so verdicts compare tuned arms with equal trials; the test set had no say`;

function endNote({ arms }: TuningDocument, end: NonNullable<TunedArm["end"]>): string[] {
  const names = arms.filter((arm) => arm.end === end).map(({ arm }) => arm);
  if (names.length === 0) return [];
  const other = end === "lowest" ? "lower" : "higher";
  return [
    `The best learning rate of ${names.join(", ")} is the ${end} that was tried (!), and a ${other} one may be better: widen tune.learningRate`,
  ];
}

function costText({ arms }: TuningDocument, runs: readonly TimedRun[]): string {
  const sum = (of: "runs" | "samples" | "scored") => arms.reduce((total, { cost }) => total + cost[of], 0);
  const own = runs.flatMap(({ metrics }) => metrics).reduce((total, { samples }) => total + samples, 0);
  const scored = sum("scored") === 0 ? "" : ` and scored ${whole(sum("scored"))}`;
  return (
    `Tuning took ${counted(sum("runs"), "run")}, which trained on ${whole(sum("samples"))} samples${scored}, beside the ${whole(own)} that the arms' own ` +
    "runs trained on: no cost and no saving here counts it"
  );
}

const nameOf = (measure: Tuning["measure"]): string => `validation ${measure}`;

const percentOf = (share: number): string => `${Number((100 * share).toFixed(2))} %`;

const whole = (value: number): string => value.toLocaleString("en-US");
