/** What `ibatch validate` found, beside the results that it is about. */
import type { Check } from "../record/validation-record.js";
import { counted } from "../results/number-text.js";
import type { ReportData } from "./data.js";
import { dataTable } from "./data-table.js";
import { type Html, html, section } from "./html.js";

/** Undefined where nothing was validated. */
export function validation({ validation: found, arms }: ReportData): Html | undefined {
  if (found === undefined) return undefined;
  const { arm, seed, batches, checks, torch, commit, date, reference, loop = "a textbook loop", configHash } = found;
  const failed = checks.filter(({ verdict }) => verdict === "fail").length;
  const runs = arms.find((other) => other.arm === arm)?.runs ?? [];
  const isStale = runs.some(({ document }) => document.configHash !== configHash);
  const against = reference === undefined ? loop : `${loop}, and the model with ${reference}`;
  return section(
    "validation",
    "Compared with plain PyTorch",
    html`<p>${failed === 0 ? `All of ${counted(checks.length, "check")} passed` : `${failed} of ${counted(checks.length, "check")} failed`}: arm ${arm}, seed ${seed}, ${counted(batches, "batch", "batches")}, against ${against} (${date.slice(0, 10)}, torch ${torch}${commit === undefined ? "" : `, commit ${commit.slice(0, 8)}`}).</p>`,
    isStale
      ? html`<p class="absent">The runs below are of other settings than those that were validated: run ibatch validate again.</p>`
      : undefined,
    dataTable({
      id: "validation-checks",
      note: "What TypeScript had the backend train on, and what came of it, against the same done in plain PyTorch.",
      columns: ["check", "verdict", "measured", "tolerance"],
      rows: checks.map((check) => ({ name: nameOf(check), cells: [check.verdict, check.measured, check.tolerance] })),
    }),
  );
}

const nameOf = ({ name, detail }: Check): Html =>
  html`${name}${detail === "" ? undefined : html`<small> ${detail}</small>`}`;
