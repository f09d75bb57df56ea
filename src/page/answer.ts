/** The answer first: a sentence an arm against the baseline, and the tables. */
import type { Best, Findings } from "../record/findings-document.js";
import { fromRecorded } from "../record/number.js";
import type { ArmSummary, Summary } from "../record/summary-document.js";
import { batchNormAlarms } from "../results/batch-norm-alarm.js";
import { counted } from "../results/number-text.js";
import { plannedSummary } from "../results/planned-summary.js";
import {
  endingsOf,
  isWorkUnequal,
  lossText,
  percent,
  runsText,
  samplesText,
  spreadText,
} from "../results/summary-text.js";
import { OTHER_OBJECTIVE_NOTE } from "../results/table.js";
import { comparisonTable } from "./comparisons.js";
import { costTable } from "./cost.js";
import { lookFor } from "./curves.js";
import type { ReportData, RunData } from "./data.js";
import { dataTable } from "./data-table.js";
import { absent, type Html, html, section } from "./html.js";
import { noiseTable } from "./label-noise.js";
import type { Look } from "./looks.js";
import { described } from "./numbers.js";
import { recencyTable } from "./recency.js";
import { savingTable } from "./saving.js";
import { hasStatistics, type Sentence, sentencesOf } from "./sentences.js";
import { swatch } from "./swatch.js";
import { tuningTable } from "./tuning.js";

export interface Answer {
  readonly summary: Summary;
  readonly findings: Findings | undefined;
}

export function answer(data: ReportData, { summary, findings }: Answer, looks: ReadonlyMap<string, Look>): Html {
  const said = sentencesOf(data, findings);
  return section(
    "answer",
    "The answer",
    unfinished(data),
    alarms(data),
    hasStatistics(findings) ? inShort(findings) : undefined,
    said.length > 0 ? sentences(said, looks) : noSentences(data),
    html`${hasStatistics(findings) ? undefined : plainNote(said, findings)}${findings && notes(findings, said)}`,
    table(data, { summary, findings }, looks),
    objectives(summary),
    endings(data, summary),
    findings && comparisonTable(findings),
    findings &&
      html`${noiseTable(findings)}${recencyTable(findings)}${costTable(findings, looks)}${savingTable(findings, looks)}${tuningTable(findings, looks)}`,
  );
}

function inShort(findings: Findings): Html | undefined {
  const text = plannedSummary(findings);
  return text === undefined ? undefined : html`<p class="short">${text}</p>`;
}

/** What was planned first; what was not is folded away below it. */
function sentences(said: readonly Sentence[], looks: ReadonlyMap<string, Look>): Html {
  const list = (all: readonly Sentence[]) => html`<ul class="sentences">${all.map((one) => sentence(one, looks))}</ul>`;
  const planned = said.filter(({ isExploratory }) => !isExploratory);
  const others = said.filter(({ isExploratory }) => isExploratory);
  if (planned.length === 0 || others.length === 0) return list(said);
  const title = `${counted(others.length, "comparison")} that ${others.length === 1 ? "was" : "were"} not planned: nothing is claimed`;
  return html`${list(planned)}<details><summary>${title}</summary>${list(others)}</details>`;
}

const sentence = ({ arm, text }: Sentence, looks: ReadonlyMap<string, Look>): Html =>
  html`<li>${looks.has(arm) ? swatch(lookFor(looks, arm)) : undefined}<b>${arm}</b> ${withPercent(text)}</li>\n`;

/** A line never ends between a number and its %. */
const withPercent = (text: string): string => text.replaceAll(" %", "\u00a0%");

/** Where an accuracy says more about BatchNorm than about the order. */
function alarms({ arms }: ReportData): Html | undefined {
  const all = batchNormAlarms(arms);
  if (all.length === 0) return undefined;
  return html`<div class="warning"><b>Normalisation:</b><ul>${all.map(
    ({ arm, text }) => html`<li><b>${arm}</b> ${text}</li>\n`,
  )}</ul></div>`;
}

/** But for those that a sentence above begins with, such as that an arm collapsed. */
function notes(findings: Findings, said: readonly Sentence[]): Html | undefined {
  const isSaid = (note: string) => said.some(({ arm, text }) => `${arm} ${text}`.startsWith(`${note}.`));
  const left = findings.notes.filter((note) => !isSaid(note));
  return left.length === 0 ? undefined : html`<ul class="note">${left.map((note) => html`<li>${note}</li>\n`)}</ul>`;
}

function plainNote(said: readonly Sentence[], findings: Findings | undefined): Html | undefined {
  if (said.length === 0) return undefined;
  const lack = findings?.lack === undefined ? undefined : html` There are no statistics: ${findings.lack}`;
  return html`<p class="note">Differences of the last epoch's test accuracy, seed by seed; in brackets the lowest and the highest. They are what was seen, not a test of significance.${lack}</p>`;
}

const noSentences = ({ baseline, arms }: ReportData): Html =>
  baseline === undefined
    ? absent("No arm is the baseline, so none is compared with another: name one in the config (baseline: …).")
    : absent(arms.length === 1 ? "There is one arm: nothing to compare it with." : "Nothing to compare yet.");

/** Says so while runs are missing, at the top. */
function unfinished({ arms, seeds }: ReportData): Html | undefined {
  const planned = arms.length * seeds.length;
  const states = arms.flatMap(({ runs }) => runs.map(({ document }) => document.state));
  const results = states.filter((state) => state === "done" || state === "diverged").length;
  if (results === planned) return undefined;
  const failed = states.filter((state) => state === "failed").length;
  const others = failed === 0 ? "" : ` with a result, and ${failed} failed`;
  return html`<p class="warning"><b>Not finished:</b> ${results} of ${counted(planned, "run")} ended${others}. What follows is about those that are there.</p>`;
}

function table(data: ReportData, { summary, findings }: Answer, looks: ReadonlyMap<string, Look>): Html {
  const { arms, seeds } = summary;
  const lengths = [...new Set(arms.map(({ epochs }) => epochs))];
  const length = lengths.length === 1 ? `after ${counted(lengths[0], "epoch")}` : "after the last epoch";
  const over =
    seeds.length === 1 ? `seed ${seeds[0]}` : `mean ± sd over ${counted(seeds.length, "seed")} (${seeds.join(", ")})`;
  const best = new Map(
    (findings?.arms ?? []).flatMap(({ arm, validation }) => (validation ? [[arm, validation]] : [])),
  );
  const columns = ["test accuracy, %", "test loss"];
  if (best.size > 0) columns.push("best by validation: test accuracy, %", "at epoch");
  columns.push("runs");
  const isUnequal = isWorkUnequal(arms);
  if (isUnequal) columns.push("samples trained on");
  if (lengths.length > 1) columns.push("epochs");
  const cells = (arm: ArmSummary) => [
    spreadText(arm.testAccuracy, percent),
    spreadText(arm.testLoss, lossText),
    ...(best.size > 0 ? bestCells(best.get(arm.arm)) : []),
    runsText(arm, seeds.length),
    ...(isUnequal ? [samplesText(arm)] : []),
    ...(lengths.length > 1 ? [arm.epochs] : []),
  ];
  return dataTable({
    id: "results",
    note: `Test set ${length}, ${over}`,
    columns: ["arm", ...columns],
    rows: arms.map((arm) => ({
      name: html`${swatch(lookFor(looks, arm.arm))}${arm.arm}${arm.changesObjective ? " *" : ""}`,
      cells: cells(arm),
      isBaseline: arm.arm === data.baseline,
    })),
  });
}

const bestCells = (best: Best | undefined): string[] =>
  best === undefined
    ? ["–", "–"]
    : [described(best.accuracy, percent), described(best.epochs, (epochs) => epochs.toFixed(1))];

const objectives = ({ arms }: Summary): Html | undefined =>
  arms.some(({ changesObjective }) => changesObjective) ? html`<p class="note">${OTHER_OBJECTIVE_NOTE}</p>` : undefined;

/** Runs that did not come to their last epoch, and why. */
function endings({ arms }: ReportData, summary: Summary): Html | undefined {
  const lines = summary.arms.flatMap((arm) => endingsOf(arm).map((how) => html`<li><b>${arm.arm}</b>, ${how}</li>\n`));
  const notFinite = arms.flatMap(({ arm, runs }) => runs.flatMap((run) => lastLossNotFinite(arm, run)));
  const all = [...lines, ...notFinite];
  return all.length === 0 ? undefined : html`<ul class="endings">\n${all}</ul>`;
}

function lastLossNotFinite(arm: string, { seed, document, metrics }: RunData): Html[] {
  const loss = metrics.at(-1)?.test?.loss;
  const isOdd = document.state === "done" && loss !== undefined && !Number.isFinite(fromRecorded(loss));
  return isOdd ? [html`<li><b>${arm}</b>, seed ${seed}: test loss is ${loss} after the last epoch</li>\n`] : [];
}
