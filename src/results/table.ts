import type { ArmFindings, Findings } from "../record/findings-document.js";
import type { Interval } from "../record/statistics-document.js";
import type { ArmSummary, Summary } from "../record/summary-document.js";
import { comparisonTables } from "./comparison-table.js";
import { costTables } from "./cost-table.js";
import { noiseTables } from "./label-noise.js";
import { type Column, type Layout, whole } from "./layout.js";
import { PERCENT, plain, range } from "./number-text.js";
import { recencyTables } from "./recency.js";
import { savingTables } from "./saving-table.js";
import { endingsOf, isWorkUnequal, lossText, percent, runsText, samplesText, spreadText } from "./summary-text.js";
import { tuningTables } from "./tuning-table.js";

/**
 * The final table: arms, comparisons, costs, what to know. In Markdown that is laid out to be read as it stands, or as
 * the layout has it.
 */
export function renderTable(summary: Summary, findings: Findings, layout: Layout = whole): string {
  const { seeds, arms } = summary;
  const comparisons = seeds.length < 2 || arms.length < 2 ? [] : comparisonTables(findings, layout);
  const costs = arms.length < 2 && findings.target?.from !== "config" ? [] : costTables(findings, layout);
  const apart = [
    ...noiseTables(findings, layout),
    ...recencyTables(findings, layout),
    ...comparisons,
    ...costs,
    ...savingTables(findings, layout),
    ...tuningTables(findings, layout),
  ];
  return [armsPart(summary, findings, layout), ...apart, ...remarks(findings, layout)].join("\n");
}

function armsPart({ name, seeds, arms }: Summary, findings: Findings, layout: Layout): string {
  const lengths = [...new Set(arms.map(({ epochs }) => epochs))];
  const told = seedsToldOf({ seeds, arms });
  const over = told.length === 1 ? `seed ${told[0]}` : `mean ± sd over seeds ${list(told)}`;
  const columns = columnsOf(findings, { planned: seeds.length, lengths, arms });
  const table = layout.table(
    columns,
    arms.map((arm, at) => ({ arm, found: findings.arms[at] })),
  );
  const title = layout.line(`${name}: test set after ${howLong(lengths)}, ${over}`);
  return `${title}\n\n${table}${objectives(arms, layout)}${failures(arms, layout)}`;
}

/** Without those of which every run is still to be done, or to come to its end; all of them before one has. */
function seedsToldOf({ seeds, arms }: Pick<Summary, "seeds" | "arms">): readonly number[] {
  const ended = new Set(
    arms.flatMap(({ runs }) => runs.filter(({ state }) => hasEnded(state)).map(({ seed }) => seed)),
  );
  return ended.size === 0 ? seeds : seeds.filter((seed) => ended.has(seed));
}

const hasEnded = (state: ArmSummary["runs"][number]["state"]): boolean =>
  state !== "running" && state !== "interrupted";

interface Row {
  readonly arm: ArmSummary;
  readonly found: ArmFindings;
}

interface Shown {
  readonly planned: number;
  readonly lengths: readonly number[];
  readonly arms: readonly ArmSummary[];
}

/** Intervals, lengths, work and the validation split have a column where there is something to tell. */
function columnsOf(findings: Findings, { planned, lengths, arms }: Shown): Column<Row>[] {
  const withIntervals = findings.arms.some(({ accuracy, loss }) => (accuracy.interval ?? loss.interval) !== null);
  const title = `${PERCENT * findings.confidence} % interval`;
  const column = (title: string, rank: number, cell: Column<Row>["cell"]): Column<Row> => ({ title, rank, cell });
  const only = (isShown: boolean, shown: Column<Row>): Column<Row>[] => (isShown ? [shown] : []);
  return [
    column("arm", 0, ({ arm }) => armName(arm)),
    column("test accuracy, %", 0, ({ arm }) => spreadText(arm.testAccuracy, percent)),
    ...only(
      withIntervals,
      column(title, 3, ({ arm, found }) => intervalText(arm, found.accuracy.interval, 2, PERCENT)),
    ),
    column("test loss", 1, ({ arm }) => spreadText(arm.testLoss, lossText)),
    ...only(
      withIntervals,
      column(title, 5, ({ arm, found }) => intervalText(arm, found.loss.interval, 4)),
    ),
    column("runs", 0, ({ arm }) => runsText(arm, planned)),
    ...only(
      isWorkUnequal(arms),
      column("samples trained on", 2, ({ arm }) => samplesText(arm)),
    ),
    ...only(
      lengths.length > 1,
      column("epochs", 2, ({ arm }) => String(arm.epochs)),
    ),
    ...only(
      findings.arms.some(({ validation }) => validation !== undefined),
      column("at best validation epoch, %", 4, ({ found }) => best(found)),
    ),
  ];
}

/** None where runs diverged: it would be of survivors alone. */
const intervalText = ({ diverged }: ArmSummary, interval: Interval | null, digits: number, scale = 1): string =>
  interval === null || diverged > 0 ? "–" : range(interval, digits, scale);

/** Test accuracy at the epoch that the validation split would choose, and which one that is. */
function best({ validation }: ArmFindings): string {
  if (validation === undefined) return "–";
  const { accuracy, epochs } = validation;
  if (accuracy.mean === null || epochs.mean === null) return "–";
  const spread = accuracy.sd === null ? "" : ` ± ${(PERCENT * accuracy.sd).toFixed(2)}`;
  return `${plain(PERCENT * accuracy.mean, 2)}${spread} (epoch ${epochs.n === 1 ? epochs.mean : epochs.mean.toFixed(1)})`;
}

/** What the numbers do not say by themselves. */
function remarks({ notes, alarms, lack }: Findings, layout: Layout): string[] {
  const lines = [
    ...(lack === undefined ? [] : [`No statistics: ${lack.split("\n")[0]}`]),
    ...notes,
    ...alarms.map(({ arm, text }) => `Alarm: ${arm} ${text}`),
  ];
  return lines.length === 0 ? [] : [`${lines.map((line) => layout.line(`- ${line}`, "  ")).join("\n")}\n`];
}

const OTHER_OBJECTIVE = "*";

/** What the star beside an arm means. */
export const OTHER_OBJECTIVE_NOTE = `${OTHER_OBJECTIVE} trains on a part whose expected gradient is not that of the mean loss over all samples: another objective`;

const armName = ({ arm, changesObjective }: ArmSummary): string =>
  changesObjective ? `${arm} ${OTHER_OBJECTIVE}` : arm;

function objectives(arms: readonly ArmSummary[], layout: Layout): string {
  return arms.some(({ changesObjective }) => changesObjective) ? `\n${layout.line(OTHER_OBJECTIVE_NOTE)}\n` : "";
}

function howLong([epochs, ...others]: readonly number[]): string {
  if (others.length > 0) return "the last epoch";
  return epochs === 1 ? "1 epoch" : `${epochs} epochs`;
}

/** From so many seeds on, neighbours are told by the first and the last. */
const LONG_RANGE = 4;

/** 0, 1, 2, or 0 … 9, 17 */
function list(seeds: readonly number[]): string {
  const ranges: number[][] = [];
  for (const seed of seeds) {
    const range = ranges.at(-1);
    if (range !== undefined && range.at(-1) === seed - 1) range.push(seed);
    else ranges.push([seed]);
  }
  return ranges
    .map((range) => (range.length < LONG_RANGE ? range.join(", ") : `${range[0]} … ${range.at(-1)}`))
    .join(", ");
}

function failures(arms: readonly ArmSummary[], layout: Layout): string {
  const lines = arms.flatMap((arm) => endingsOf(arm).map((text) => layout.line(`${arm.arm}, ${text}`, "  ")));
  return lines.length === 0 ? "" : `\n${lines.join("\n")}\n`;
}
