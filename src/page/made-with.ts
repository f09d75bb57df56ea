/** What was run, on what, and how to run it again. */
import { stringify } from "yaml";
import type { Surroundings } from "../record/run-document.js";
import type { ReportData } from "./data.js";
import { type Html, html, section } from "./html.js";

export function madeWith(data: ReportData): Html {
  const found = data.arms.flatMap(({ runs }) => runs.flatMap(({ document }) => document.surroundings ?? []));
  const commits = new Set(data.arms.flatMap(({ runs }) => runs.flatMap(({ document }) => document.commit ?? [])));
  return section(
    "made-with",
    "What was run",
    html`<p>To run it again, and what is missing of it:</p><pre><code>${data.command}</code></pre>`,
    html`<div class="wide"><table class="facts"><tbody>
${facts(data, found, [...commits])}</tbody></table></div>`,
    html`<details><summary>The config, with every default filled in</summary><pre><code>${stringify(data.config, { aliasDuplicateObjects: false })}</code></pre></details>`,
  );
}

function facts(data: ReportData, found: readonly Surroundings[], commits: readonly string[]): Html[] {
  const rows: [string, string[]][] = [
    ["experiment", [data.hash.slice(0, 8)]],
    ["ibatch", [data.ibatchVersion]],
    ["resumed", resumedRuns(data)],
    ["commit", commits.length > 0 ? [...commits] : [data.commit ?? "not known"]],
    ["device", each(found, ({ device, deviceName }) => `${device}: ${deviceName}`)],
    ["threads", each(found, ({ threads }) => String(threads))],
    ["platform", each(found, ({ platform }) => platform)],
    [
      "versions",
      each(found, ({ versions }) =>
        Object.entries(versions)
          .map(([name, version]) => `${name} ${version}`)
          .join(", "),
      ),
    ],
    ["precision", each(found, ({ settings }) => said(settings.precision))],
    ["memory format", each(found, ({ settings }) => said(settings.memoryFormat))],
    ["data", each(found, ({ dataset, dataSha256 }) => `${dataset.name}, SHA-256 ${dataSha256.slice(0, 16)}…`)],
    ["test samples", each(found, ({ testCount }) => String(testCount))],
    ["parameters", each(found, ({ parameterCount }) => String(parameterCount))],
  ];
  return rows
    .map(([name, values]): [string, string[]] => [name, values.filter((value) => value !== "")])
    .filter(([, values]) => values.length > 0)
    .map(
      ([name, values]) =>
        html`<tr><th scope="row">${name}</th><td>${values.map((value) => html`<div>${value}</div>`)}</td></tr>\n`,
    );
}

/** Empty where a record says nothing of it. */
const said = (setting: unknown): string => (typeof setting === "string" ? setting : "");

/** Runs that went on from checkpoints after they had been stopped, and by which other version of ours. */
const resumedRuns = ({ arms }: ReportData): string[] =>
  arms.flatMap(({ arm, runs }) =>
    runs.flatMap(({ seed, document: { resumed = [] } }) => {
      const from = resumed.map(
        ({ step, ibatchVersion }) => `${step}${ibatchVersion ? ` (ibatch ${ibatchVersion})` : ""}`,
      );
      return from.length === 0 ? [] : [`${arm}, seed ${seed}: from its checkpoint at step ${from.join(", ")}`];
    }),
  );

/** Different ones, each once. */
const each = (found: readonly Surroundings[], say: (surroundings: Surroundings) => string): string[] => [
  ...new Set(found.map(say)),
];
