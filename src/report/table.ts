import { comparisonTables } from "./comparison-table.js";
import { costTables } from "./cost-table.js";
import type { ArmFindings, Findings } from "./findings.js";
import { markdown } from "./markdown-table.js";
import { PERCENT, plain, range } from "./number-text.js";
import type { Interval } from "./statistics.js";
import type { ArmSummary, Summary } from "./summary.js";
import { lossText, percent, runsText, spreadText } from "./summary-text.js";

/** The final table, in Markdown that is laid out to be read as it stands: arms, comparisons, costs, what to know. */
export function renderTable(summary: Summary, findings: Findings): string {
  const { seeds, arms } = summary;
  const comparisons = seeds.length < 2 || arms.length < 2 ? [] : comparisonTables(findings);
  const costs = arms.length < 2 && findings.target?.from !== "config" ? [] : costTables(findings);
  return [armsPart(summary, findings), ...comparisons, ...costs, ...remarks(findings)].join("\n");
}

function armsPart({ name, seeds, arms }: Summary, findings: Findings): string {
  const lengths = [...new Set(arms.map(({ epochs }) => epochs))];
  const over = seeds.length === 1 ? `seed ${seeds[0]}` : `mean ± sd over seeds ${list(seeds)}`;
  const columns = columnsOf(findings, seeds.length, lengths.length > 1);
  const rows = arms.map((arm, at) => columns.map(({ cell }) => cell(arm, findings.arms[at])));
  const table = markdown(
    columns.map(({ title }) => title),
    rows,
  );
  return `${name}: test set after ${howLong(lengths)}, ${over}\n\n${table}${objectives(arms)}${failures(arms)}`;
}

interface Column {
  readonly title: string;
  readonly cell: (arm: ArmSummary, findings: ArmFindings) => string;
}

/** Intervals, lengths and the validation split have a column where there is something to tell. */
function columnsOf({ arms, confidence }: Findings, planned: number, hasLengths: boolean): Column[] {
  const withIntervals = arms.some(({ accuracy, loss }) => (accuracy.interval ?? loss.interval) !== null);
  const interval = (cell: Column["cell"]): Column[] =>
    withIntervals ? [{ title: `${PERCENT * confidence} % interval`, cell }] : [];
  return [
    { title: "arm", cell: armName },
    { title: "test accuracy, %", cell: ({ testAccuracy }) => spreadText(testAccuracy, percent) },
    ...interval((_, { accuracy }) => intervalText(accuracy.interval, 2, PERCENT)),
    { title: "test loss", cell: ({ testLoss }) => spreadText(testLoss, lossText) },
    ...interval((_, found) => intervalText(found.loss.interval, 4)),
    { title: "runs", cell: (arm) => runsText(arm, planned) },
    ...(hasLengths ? [{ title: "epochs", cell: ({ epochs }: ArmSummary) => String(epochs) }] : []),
    ...(arms.some(({ validation }) => validation !== undefined)
      ? [{ title: "at best validation epoch, %", cell: (_: ArmSummary, found: ArmFindings) => best(found) }]
      : []),
  ];
}

const intervalText = (interval: Interval | null, digits: number, scale = 1): string =>
  interval === null ? "–" : range(interval, digits, scale);

/** Test accuracy at the epoch that the validation split would choose, and which one that is. */
function best({ validation }: ArmFindings): string {
  if (validation === undefined) return "–";
  const { accuracy, epochs } = validation;
  if (accuracy.mean === null || epochs.mean === null) return "–";
  const spread = accuracy.sd === null ? "" : ` ± ${(PERCENT * accuracy.sd).toFixed(2)}`;
  return `${plain(PERCENT * accuracy.mean, 2)}${spread} (epoch ${epochs.n === 1 ? epochs.mean : epochs.mean.toFixed(1)})`;
}

/** What the numbers do not say by themselves. */
function remarks({ notes, alarms, lack }: Findings): string[] {
  const lines = [
    ...(lack === undefined ? [] : [`No statistics: ${lack.split("\n")[0]}`]),
    ...notes,
    ...alarms.map(({ arm, text }) => `Alarm: ${arm} ${text}`),
  ];
  return lines.length === 0 ? [] : [`${lines.map((line) => `- ${line}`).join("\n")}\n`];
}

const OTHER_OBJECTIVE = "*";

/** What the star beside an arm means. */
export const OTHER_OBJECTIVE_NOTE = `${OTHER_OBJECTIVE} trains on a part whose expected gradient is not that of the mean loss over all samples: another objective`;

const armName = ({ arm, changesObjective }: ArmSummary): string =>
  changesObjective ? `${arm} ${OTHER_OBJECTIVE}` : arm;

function objectives(arms: readonly ArmSummary[]): string {
  return arms.some(({ changesObjective }) => changesObjective) ? `\n${OTHER_OBJECTIVE_NOTE}\n` : "";
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

function failures(arms: readonly ArmSummary[]): string {
  const lines = arms.flatMap(({ arm, runs: all }) =>
    all.flatMap(({ seed, error, divergedAtStep }) => {
      if (error !== undefined) return [`${arm}, seed ${seed} failed: ${error}`];
      return divergedAtStep === undefined ? [] : [`${arm}, seed ${seed} diverged at step ${divergedAtStep}`];
    }),
  );
  return lines.length === 0 ? "" : `\n${lines.join("\n")}\n`;
}
