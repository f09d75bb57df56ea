/** The answer first: a sentence an arm against the baseline, and the table. */

import { fromRecorded } from "../../record/number.js";
import type { ArmSummary, Summary } from "../summary.js";
import { OTHER_OBJECTIVE_NOTE } from "../table.js";
import { lookFor } from "./curves.js";
import type { ArmData, ReportData, RunData, Sentence } from "./data.js";
import { absent, type Html, html, section } from "./html.js";
import type { Look } from "./looks.js";
import { lossText, percent, plural, signed, spreadText } from "./numbers.js";

export interface Answer {
  readonly summary: Summary;
  readonly sentences: readonly Sentence[] | undefined;
}

export function answer(data: ReportData, { summary, sentences }: Answer, looks: ReadonlyMap<string, Look>): Html {
  const said = sentences ?? plainSentences(data);
  return section(
    "answer",
    "The answer",
    unfinished(data),
    said.length > 0 ? html`<ul class="sentences">${said.map((one) => sentence(one, looks))}</ul>` : noSentences(data),
    sentences === undefined && said.length > 0
      ? html`<p class="note">Differences of the last epoch's test accuracy, seed by seed; in brackets the lowest and the highest. They are what was seen, not a test of significance.</p>`
      : undefined,
    table(data, summary, looks),
    objectives(summary),
    endings(data),
  );
}

/** A piece of the arm's line, as the charts draw it. */
export const swatch = (look: Look): Html =>
  html`<svg class="swatch" width="26" height="8" aria-hidden="true"><path d="M0,4H26" stroke="${look.color}" stroke-width="2.4"${
    look.dash === undefined ? undefined : html` stroke-dasharray="${look.dash}"`
  }/></svg>`;

const sentence = ({ arm, text }: Sentence, looks: ReadonlyMap<string, Look>): Html =>
  html`<li>${looks.has(arm) ? swatch(lookFor(looks, arm)) : undefined}<b>${arm}</b> ${text}</li>\n`;

/** Mean of the paired differences over the seeds that both arms finished, and their range. */
export function plainSentences({ arms, baseline }: ReportData): Sentence[] {
  const base = arms.find(({ arm }) => arm === baseline);
  if (base === undefined) return [];
  return arms.filter((arm) => arm !== base).map((arm) => ({ arm: arm.arm, text: compare(arm, base) }));
}

function compare(arm: ArmData, base: ArmData): string {
  const accuracies = finalAccuracies(base.runs);
  const pairs = [...finalAccuracies(arm.runs)].flatMap(([seed, accuracy]) => {
    const other = accuracies.get(seed);
    return other === undefined ? [] : [100 * (accuracy - other)];
  });
  if (pairs.length === 0) return `cannot be compared with ${base.arm} yet: no seed was finished by both.`;
  const mean = pairs.reduce((total, difference) => total + difference, 0) / pairs.length;
  const than = `${base.arm} in test accuracy`;
  const size = Math.abs(mean).toFixed(2);
  const head =
    Number(size) === 0 ? `is level with ${than}` : `is ${size} points ${mean < 0 ? "below" : "above"} ${than}`;
  if (pairs.length === 1) return `${head}, on the one seed that both finished.`;
  const range = `${signed(Math.min(...pairs), 2)} to ${signed(Math.max(...pairs), 2)}`;
  return `${head}, in the mean over ${plural(pairs.length, "paired seed")} (${range}).`;
}

const finalAccuracies = (runs: readonly RunData[]): ReadonlyMap<number, number> =>
  new Map(
    runs.flatMap(({ seed, document, metrics }) => {
      const accuracy = document.state === "done" ? metrics.at(-1)?.test?.accuracy : undefined;
      return accuracy === undefined ? [] : [[seed, accuracy] as const];
    }),
  );

const noSentences = ({ baseline, arms }: ReportData): Html =>
  baseline === undefined
    ? absent("No arm is the baseline, so none is compared with another: name one in the config (baseline: …).")
    : absent(arms.length === 1 ? "There is one arm: nothing to compare it with." : "Nothing to compare yet.");

/** Says so while runs are missing, at the top. */
function unfinished({ arms, seeds }: ReportData): Html | undefined {
  const planned = arms.length * seeds.length;
  const ended = arms
    .flatMap(({ runs }) => runs)
    .filter(({ document }) => ["done", "diverged"].includes(document.state));
  if (ended.length === planned) return undefined;
  return html`<p class="warning"><b>Not finished:</b> ${ended.length} of ${plural(planned, "run")} ended. What follows is about those that are there.</p>`;
}

function table(data: ReportData, { arms, seeds }: Summary, looks: ReadonlyMap<string, Look>): Html {
  const lengths = [...new Set(arms.map(({ epochs }) => epochs))];
  const length = lengths.length === 1 ? `after ${plural(lengths[0], "epoch")}` : "after the last epoch";
  const over =
    seeds.length === 1 ? `seed ${seeds[0]}` : `mean ± sd over ${plural(seeds.length, "seed")} (${seeds.join(", ")})`;
  const columns = ["test accuracy, %", "test loss", "runs", ...(lengths.length > 1 ? ["epochs"] : [])];
  const row = (arm: ArmSummary) => html`<tr${arm.arm === data.baseline ? html` class="baseline"` : undefined}>
<th scope="row">${swatch(lookFor(looks, arm.arm))}${arm.arm}${arm.changesObjective ? " *" : ""}</th>
<td>${spreadText(arm.testAccuracy, percent)}</td><td>${spreadText(arm.testLoss, lossText)}</td><td>${runsText(arm, seeds.length)}</td>${
    lengths.length > 1 ? html`<td>${arm.epochs}</td>` : undefined
  }</tr>\n`;
  return html`<p class="note" id="table-note">Test set ${length}, ${over}</p>
<div class="wide"><table aria-describedby="table-note">
<thead><tr><th scope="col">arm</th>${columns.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>
${arms.map(row)}</tbody>
</table></div>`;
}

function runsText({ done, diverged, failed }: ArmSummary, planned: number): string {
  const parts = [`${done} of ${planned}`];
  if (diverged > 0) parts.push(`${diverged} diverged`);
  if (failed > 0) parts.push(`${failed} failed`);
  return parts.join(", ");
}

const objectives = ({ arms }: Summary): Html | undefined =>
  arms.some(({ changesObjective }) => changesObjective) ? html`<p class="note">${OTHER_OBJECTIVE_NOTE}</p>` : undefined;

/** Runs that did not come to their last epoch, and why. */
function endings({ arms }: ReportData): Html | undefined {
  const lines = arms.flatMap(({ arm, runs }) =>
    runs.flatMap(({ seed, document }) => {
      const how = ending(document);
      return how === undefined ? [] : [html`<li><b>${arm}</b>, seed ${seed} ${how}</li>\n`];
    }),
  );
  const notFinite = arms.flatMap(({ arm, runs }) => runs.flatMap((run) => lastLossNotFinite(arm, run)));
  const all = [...lines, ...notFinite];
  return all.length === 0 ? undefined : html`<ul class="endings">\n${all}</ul>`;
}

function ending({ state, error, divergedAtStep }: RunData["document"]): string | undefined {
  if (error !== undefined) return `failed: ${error}`;
  if (divergedAtStep !== undefined) return `diverged at step ${divergedAtStep}`;
  if (state === "done") return undefined;
  return state === "running" ? "is running, or was cut off" : `is ${state}`;
}

function lastLossNotFinite(arm: string, { seed, document, metrics }: RunData): Html[] {
  const loss = metrics.at(-1)?.test?.loss;
  const isOdd = document.state === "done" && loss !== undefined && !Number.isFinite(fromRecorded(loss));
  return isOdd ? [html`<li><b>${arm}</b>, seed ${seed}: test loss is ${loss} after the last epoch</li>\n`] : [];
}
