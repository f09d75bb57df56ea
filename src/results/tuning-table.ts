/** Which learning rates were tried for each arm, which one it has, what that cost, and where the list was too short. */
import { rivalOf } from "../experiment/tuning/rank-trials.js";
import { rivalText, percent as share } from "../experiment/tuning/tuning-text.js";
import type { Comparison, Findings } from "../record/findings-document.js";
import type { Trial, TunedArm, TuningDocument } from "../record/tuning-record.js";
import type { Column, Layout } from "./layout.js";
import { counted } from "./number-text.js";
import type { TimedRun } from "./recorded-experiment.js";
import { lossText, percent } from "./summary-text.js";

export function tuningTitle({ measure, seeds, validation }: TuningDocument): string {
  const unit = measure === "accuracy" ? ", %" : "";
  const samples = validation.samples === null ? "" : ` (${whole(validation.samples)})`;
  return (
    `Learning rates, tuned: ${nameOf(measure)}${unit} after the last epoch, mean ± sd over ${counted(seeds.length, "seed")} apart from those ` +
    `above, on ${share(validation.share)} of the training samples${samples}, which these runs were not trained on; an arm has the best`
  );
}

/** Titles and cells as table and page have them. */
export const tuningColumns = ({ measure, arms }: TuningDocument): readonly Column<TunedArm>[] => [
  { title: "chosen", rank: 0, cell: ({ rate, end }) => (rate === null ? "none" : `${rate}${end ? END_MARK : ""}`) },
  ...ratesOf(arms).map((rate) => ({
    title: `at ${rate}`,
    rank: 1,
    cell: ({ trials }: TunedArm) => {
      const trial = trials.find((one) => one.rate === rate);
      return trial === undefined ? "–" : trialText(trial, measure);
    },
  })),
  { title: "samples trained on", rank: 2, cell: ({ cost }) => whole(cost.samples) },
  ...(arms.every(({ cost }) => cost.scored === 0) ? [] : [SCORED]),
];

const SCORED: Column<TunedArm> = { title: "scored", rank: 2, cell: ({ cost }) => whole(cost.scored) };

/** Beside a rate that is an end of the list; a note says what it means. */
const END_MARK = " !";

const ratesOf = (arms: readonly TunedArm[]): number[] =>
  [...new Set(arms.flatMap(({ trials }) => trials.map(({ rate }) => rate)))].sort((a, b) => a - b);

function trialText({ mean, sd, diverged, values }: Trial, measure: TuningDocument["measure"]): string {
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

/** `runs`, `comparisons`: of the arms with their rates. */
export function tuningNotes(
  tuning: TuningDocument | undefined,
  runs: readonly TimedRun[],
  comparisons: readonly Comparison[],
): string[] {
  if (tuning === undefined) return [];
  return [
    choiceText(tuning),
    ...(comparisons.length === 0 ? [] : [claimText(tuning, runs)]),
    ...rivalNote(tuning),
    ...ratesNote(tuning, comparisons),
    ...(["lowest", "highest"] as const).flatMap((end) => endNote(tuning, end)),
    costText(tuning, runs),
  ];
}

function choiceText({ measure, seeds, validation, arms }: TuningDocument): string {
  const without = arms.filter(({ rate }) => rate === null).map(({ arm }) => arm);
  const but = without.length === 0 ? "" : ` but ${without.join(", ")}`;
  return (
    `Learning rates are tuned: each arm${but} has the best of ${ratesOf(arms).length} by its mean ${nameOf(measure)} over ` +
    `${counted(seeds.length, "run")} each, with equal trials for all; the test set had no say. Trials had ${share(validation.share)} fewer ` +
    "samples to train on than the arms' own runs, for which another rate may be the best"
  );
}

/** How large it is: test/experiment/tuning-claims.test.ts. */
function claimText({ seeds }: TuningDocument, runs: readonly TimedRun[]): string {
  const tested = new Set(runs.map(({ seed }) => seed)).size;
  const more =
    seeds.length < tested
      ? `. Tune with as many seeds as are under test or more: tune.seeds: ${tested}, not ${seeds.length}`
      : "";
  return (
    "Intervals and p are of the chosen rates: that other tuning seeds may choose other ones is not in them, so tests at 5 % " +
    "claim more often than that where there is nothing. Of two arms that are alike at each rate, over 9 seeds, they claimed a " +
    `difference in 12 % of simulated experiments with 3 tuning seeds, in 8 % with 5 and in 6 % with 9${more}`
  );
}

function rivalNote({ arms, measure }: TuningDocument): string[] {
  const told = arms.flatMap((tuned) => {
    const rival = rivalOf(tuned, measure);
    return rival === undefined ? [] : [`${tuned.arm} has ${tuned.rate}, and ${rivalText(rival, measure)}`];
  });
  if (told.length === 0) return [];
  return [
    `Learning rates that chance may have chosen: ${told.join("; ")}. Other tuning seeds may choose the other one, and what is said of the ` +
      "arm is of its rate alone; more of them (tune.seeds) tell the two apart",
  ];
}

/** A control differs from its arm in one thing, but for this. */
function ratesNote({ arms }: TuningDocument, comparisons: readonly Comparison[]): string[] {
  const rateOf = (name: string) => arms.find(({ arm }) => arm === name)?.rate ?? null;
  const apart = comparisons.flatMap(({ name, planned, arm, with: other }) => {
    const [mine, others] = [arm, other].map(rateOf);
    return planned && mine !== null && others !== null && mine !== others ? [`${name} (${mine}, ${others})`] : [];
  });
  if (apart.length === 0) return [];
  return [
    `Of two learning rates: ${apart.join(", ")}. Where one is the placebo or another control of the other, the difference is of the ` +
      "rates, too, and not of the one thing that the control leaves out: for that give both one rate, without tune",
  ];
}

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

const nameOf = (measure: TuningDocument["measure"]): string => `validation ${measure}`;

const whole = (value: number): string => value.toLocaleString("en-US");
