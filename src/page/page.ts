/** The page as a whole: one file that loads nothing and needs no script. */

import type { Findings } from "../record/findings-document.js";
import { startsText } from "../results/equal-weights.js";
import { counted } from "../results/number-text.js";
import { answer } from "./answer.js";
import { batchNorm } from "./batch-norm.js";
import { batches } from "./batches.js";
import { confusion } from "./confusion.js";
import { curves } from "./curves.js";
import type { ReportData } from "./data.js";
import { Html, html } from "./html.js";
import { leftOut } from "./left-out.js";
import { looksOf } from "./looks.js";
import { losses } from "./losses.js";
import { madeWith } from "./made-with.js";
import { monitors } from "./monitors.js";
import { resultsOf } from "./results.js";
import { samples } from "./samples.js";
import { strongArms } from "./strong-arms.js";
import { STYLE } from "./style.js";
import { validation } from "./validation.js";

/** Equal data give equal bytes. `findings`: what the statistics say; plain paired differences without. */
export function renderPage(data: ReportData, findings?: Findings): string {
  const arms = data.arms.map(({ arm }) => arm);
  const strong = strongArms(data);
  const looks = looksOf([...strong, ...arms.filter((arm) => !strong.has(arm))], data.baseline);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${data.name}: report</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<header>
<h1>${data.name}</h1>
<p>${counted(arms.length, "arm")}, ${counted(data.seeds.length, "seed")}. ${data.baseline === undefined ? undefined : `Others are compared with ${data.baseline}, seed by seed: ${startOf(data)}.`}</p>
</header>
<main>
${leftOut(data)}${answer(data, { summary: resultsOf(data), findings }, looks)}${curves(data, looks, strong)}${batchNorm(data, looks)}${batches(data, looks)}${losses(data, looks)}${monitors(data, looks)}${samples(data)}${confusion(data)}${validation(data)}${madeWith(data)}</main>
</body>
</html>
`;
  return page.text;
}

function startOf({ arms }: ReportData): string {
  const runs = arms.flatMap(({ arm, runs }) => runs.map(({ seed, document }) => ({ arm, seed, document })));
  return startsText(runs);
}
