/** The hardest and the most often misjudged training samples of each class, as pictures. */

import { counted } from "../results/number-text.js";
import type { HardSample, HardSamples, ReportData } from "./data.js";
import { absent, type Html, html, section } from "./html.js";
import { short } from "./numbers.js";
import { pngUri } from "./png.js";

/** Below this a sample is learned; as in the spread of the losses. */
const FLOOR = 0.001;

export function samples({ samples: found, baseline }: ReportData): Html {
  const title = "Hardest training images";
  if (found === undefined) {
    const none =
      "Not shown: no run has recorded pictures (images.json), which it does when it is done, nor the dataset's labels.";
    return section("samples", title, absent(none));
  }
  const range = rangeOf(found);
  return section(
    "samples",
    title,
    html`<p class="note">Of ${found.arm}${found.arm === baseline ? ", the baseline" : ""}, over ${counted(found.seeds.length, "seed")}: of each class the training samples with the highest mean loss in their training passes (▲), and those that were taken for another class most often (✗), hardest first. A pass is one epoch of one seed. The line is a sample's loss over epochs, from ${short(range.low, 2)} to ${short(range.high, 2)} on one logarithmic scale: one that stays high while others fall may have a wrong label.</p>`,
    [channelsShown(found), classesShown(found)],
    found.classes.map((one) => classOf(one, found, range)),
  );
}

function classesShown({ classes, classesLeftOut }: HardSamples): Html | undefined {
  if (classesLeftOut === 0) return undefined;
  return html`<p class="note">The ${classes.length} classes with the highest losses; ${classesLeftOut} others are left out.</p>`;
}

function channelsShown({ channels }: HardSamples): Html | undefined {
  if (channels === 1 || channels === 3) return undefined;
  const which = channels < 3 ? "the first one" : "the first three, as red, green and blue";
  return html`<p class="note">The images have ${channels} channels; the pictures show ${which}.</p>`;
}

interface Range {
  readonly low: number;
  readonly high: number;
}

/** Of all losses that are drawn: a decade at least. */
function rangeOf({ classes }: HardSamples): Range {
  const losses = classes.flatMap((one) => one.samples.flatMap((sample) => sample.losses)).filter(Number.isFinite);
  const high = losses.reduce((most, loss) => Math.max(most, loss), 10 * FLOOR);
  const lowest = losses.reduce((least, loss) => Math.min(least, loss), high / 10);
  return { low: Math.max(FLOOR, lowest), high };
}

function classOf(
  { label, samples: shown }: HardSamples["classes"][number],
  { classNames }: HardSamples,
  range: Range,
): Html {
  return html`<h3>${nameOf(label, classNames)}</h3>
<ul class="samples">${shown.map((sample) => card(sample, { label, classNames, range }))}</ul>
`;
}

interface Around {
  readonly label: number;
  readonly classNames: readonly string[];
  readonly range: Range;
}

function card(sample: HardSample, { label, classNames, range }: Around): Html {
  const { index, meanLoss, passes, misjudged, wrong, picture, relabelled } = sample;
  const taken =
    wrong === undefined
      ? passes > 0
        ? "never misjudged"
        : undefined
      : html`taken for ${classNames[wrong.label]}, wrong in ${misjudged} of ${counted(passes, "pass", "passes")}`;
  const marks = `${sample.isHardest ? "▲" : ""}${sample.isMostMisjudged ? "✗" : ""}`;
  const alt = `training sample ${index}, labelled ${classNames[label]}${wrong === undefined ? "" : `, most often taken for ${classNames[wrong.label]}`}`;
  const noisy = relabelled === undefined ? undefined : html`<br>trained on as ${classNames[relabelled]} (labelNoise)`;
  return html`<li><img src="${pngUri(picture)}" width="${picture.width}" height="${picture.height}" alt="${alt}"><div><b>${index}</b> ${marks}<br>loss ${meanLoss.toFixed(2)}${noisy}${taken && html`<br>${taken}`}</div>${sparkline(sample, range)}</li>
`;
}

const nameOf = (label: number, names: readonly string[]): string =>
  names[label] === String(label) ? `Class ${label}` : `Class ${label}: ${names[label]}`;

const WIDTH = 84;
const HEIGHT = 22;

/** The loss over epochs, logarithmic. */
function sparkline({ losses }: HardSample, { low, high }: Range): Html | undefined {
  const x = (epoch: number) => round(2 + (losses.length < 2 ? 0.5 : epoch / (losses.length - 1)) * (WIDTH - 4));
  const y = (loss: number) =>
    round(HEIGHT - 2 - (Math.log(Math.max(loss, low) / low) / Math.log(high / low)) * (HEIGHT - 4));
  const places = losses.flatMap((loss, epoch) => (Number.isFinite(loss) ? [`${x(epoch)},${y(loss)}`] : []));
  if (places.length === 0) return undefined;
  const last = places[places.length - 1].split(",");
  const said = losses.map((loss) => (Number.isFinite(loss) ? Number(loss.toPrecision(2)) : "–")).join(", ");
  return html`<svg class="spark" role="img" aria-label="${`loss over epochs: ${said}`}" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}"><path d="M0,${HEIGHT - 1}H${WIDTH}" stroke="var(--rule)"/><path d="M${places.join("L")}" fill="none" stroke="currentColor" stroke-width="1.4"/><circle cx="${last[0]}" cy="${last[1]}" r="2" fill="currentColor"/></svg>`;
}

const round = (value: number): number => Number(value.toFixed(1));
