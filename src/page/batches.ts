/** What batches are made of, how large they are and at which rate they train. */
import { groupEqual, type LineChart, type Point, type Series } from "./chart.js";
import { lookFor } from "./curves.js";
import type { ArmData, Composition, ReportData, StepData } from "./data.js";
import { cells, shadeKey } from "./heat.js";
import { absent, figure, type Html, html, type Part, section } from "./html.js";
import type { Look } from "./looks.js";
import { short } from "./numbers.js";
import { draw } from "./plot.js";

export function batches(data: ReportData, looks: ReadonlyMap<string, Look>): Html {
  return section("batches", "What a batch is made of", compositions(data), ...steps(data, looks));
}

// --- classes

function compositions({ arms }: ReportData): Html {
  const shown = arms.flatMap(({ arm, example, classNames }) =>
    example?.composition === undefined
      ? []
      : [{ arm, seed: example.seed, classNames, composition: example.composition }],
  );
  if (shown.length === 0) {
    return absent(
      "Which classes the batches held is not shown: this record has no labels (datasets/) or no orders (record.orders: hash).",
    );
  }
  return html`<p class="note">${rowsText(shown.map(({ composition }) => composition))}${namesText(shown)}, a column a batch, from the first on; how much of the batch the class fills. A batch of one class is one dark cell; a batch like the whole set is a pale column.</p>
${shadeKey("of the batch")}
<div class="charts">${shown.map(({ arm, seed, composition }) =>
    figure(
      arm,
      compositionMap(arm, composition),
      `batches 1 to ${composition.sizes.length} of ${composition.batches} in epoch ${composition.epoch + 1}, seed ${seed}`,
    ),
  )}</div>`;
}

function rowsText(shown: readonly Composition[]): string {
  const together = new Set(shown.map(({ classesTogether = 1 }) => classesTogether));
  if ([...together].every((count) => count === 1)) return "A row a class";
  return `A row ${[...together].sort((a, b) => a - b).join(" or ")} classes, one beside the other by number`;
}

const MOST_NAMES = 12;
/** Where all arms have the same classes, and these are few and are not called by their numbers. */
function namesText(arms: readonly Pick<ArmData, "classNames">[]): string {
  const names = sharedNames(arms);
  return names === undefined || names.length > MOST_NAMES ? "" : ` (from the top: ${names.join(", ")})`;
}

/** Names that say more than the numbers beside the rows; undefined where arms have different ones. */
export function sharedNames([first, ...others]: readonly Pick<ArmData, "classNames">[]): readonly string[] | undefined {
  const names = first?.classNames;
  if (names === undefined || areNumbers(names)) return undefined;
  return others.every(({ classNames }) => classNames?.join("\n") === names.join("\n")) ? names : undefined;
}

/** Whether classes are called by their numbers, which stand beside the rows anyway. */
const areNumbers = (names: readonly string[]): boolean => names.every((name, at) => name === String(at));

/** In units of the picture, which is as wide as its column. */
const WIDTH = 360;
const LABELS = 26;
const MOST_HEIGHT = 200;

function compositionMap(arm: string, { counts, sizes, classesTogether = 1 }: Composition): Html {
  const width = round((WIDTH - LABELS) / Math.max(sizes.length, 1));
  const height = round(Math.min(14, MOST_HEIGHT / counts.length));
  const bottom = round(height * counts.length);
  const every = Math.ceil(counts.length / 10);
  const labels = counts.flatMap((_, label) =>
    label % every === 0
      ? [
          html`<text x="${LABELS - 5}" y="${round((label + 0.5) * height)}" dy="0.32em" text-anchor="end">${label * classesTogether}</text>`,
        ]
      : [],
  );
  const map = {
    title: arm,
    rows: counts.map((row) => row.map((count, batch) => count / sizes[batch])),
    cell: { width, height },
    color: "var(--heat)",
  };
  return html`<svg class="plot" role="img" aria-label="${`Classes in the batches of ${arm}`}" viewBox="0 0 ${WIDTH} ${bottom + 2}" width="${WIDTH}" height="${bottom + 2}" font-size="9" shape-rendering="crispEdges"><rect x="${LABELS}" width="${round(width * sizes.length)}" height="${bottom}" fill="var(--field)"/>${cells(map, LABELS, 0)}<g fill="currentColor">${labels}</g></svg>`;
}

const round = (value: number): number => Number(value.toFixed(2));

// --- sizes and rates

const QUANTITIES = [
  { key: "size", title: "Batch size over steps", y: "samples a batch", unit: "batch size" },
  { key: "learningRate", title: "Learning rate over steps", y: "learning rate", unit: "learning rate" },
] as const;

function steps({ arms }: ReportData, looks: ReadonlyMap<string, Look>): Part[] {
  const all = QUANTITIES.map(({ key, title, y, unit }) => {
    const series = arms.flatMap(({ arm, example }) => {
      const points = changes(example?.steps ?? [], key);
      return points.length === 0 ? [] : [{ arm, look: lookFor(looks, arm), points }];
    });
    const left = key === "size" ? leftOver(arms.map(({ example }) => example?.steps ?? [])) : undefined;
    return seriesChart(series, { title, x: "step", y, steps: true }, { unit, without: left });
  });
  const charts = all.filter(({ isChart }) => isChart).map(({ shown }) => shown);
  const lines = all.filter(({ isChart }) => !isChart).map(({ shown }) => shown);
  return [charts.length > 0 ? html`<div class="charts">${charts}</div>` : undefined, ...lines];
}

/** What the line of sizes leaves out; undefined where every batch is whole. */
export function leftOver(arms: readonly (readonly StepData[])[]): string | undefined {
  const sizes = arms.flatMap((all) => all.filter((_, at) => isRemainder(all, at)).map(({ size }) => size));
  if (sizes.length === 0) return undefined;
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  return `the last batch of an epoch, which has what is left over (${least === most ? least : `${least} to ${most}`})`;
}

interface Shown {
  readonly unit: string;
  /** What the values leave out. */
  readonly without?: string | undefined;
}

/** Where a chart would be one level line, a sentence says it; arms that are alike share a line. */
export function seriesChart(
  series: readonly Series[],
  chart: Omit<LineChart, "lines">,
  { unit, without }: Shown,
): { isChart: boolean; shown: Html | undefined } {
  const values = new Set(series.flatMap(({ points }) => points.map(({ y }) => y)));
  if (values.size === 0) return { isChart: false, shown: undefined };
  if (values.size === 1) {
    const constant = html`<p class="note">In every arm and all along, ${unit} is ${short([...values][0])}${without && `, but for ${without}`}.</p>`;
    return { isChart: false, shown: constant };
  }
  const groups = groupEqual(series);
  const alike = groups.filter(({ arms }) => arms.length > 1 && arms.length < series.length);
  const picture = draw({ ...chart, lines: groups.map(({ line }) => line) });
  const captions = [
    ...alike.map(({ arms }) => `Alike: ${arms.join(", ")}.`),
    ...(without === undefined ? [] : [`Without ${without}.`]),
  ];
  return {
    isChart: picture !== undefined,
    shown: picture && figure(chart.title, picture, captions.length === 0 ? undefined : captions.join(" ")),
  };
}

/** Whether it is what an epoch leaves over for its last batch. */
const isRemainder = (all: readonly StepData[], at: number): boolean =>
  all[at].last && at > 0 && all[at].size < all[at - 1].size;

/** More points than these do not show. */
const MOST_POINTS = 240;

/** Where the value changes, and the end. What an epoch leaves over for its last batch is no change of size. */
export function changes(all: readonly StepData[], key: "size" | "learningRate"): Point[] {
  const whole = key === "size" ? all.filter((_, at) => !isRemainder(all, at)) : all;
  const changed = whole.filter((step, at) => at === 0 || step[key] !== whole[at - 1][key]);
  const apart = Math.ceil(changed.length / MOST_POINTS);
  const kept = changed.filter((_, at) => at % apart === 0);
  const end = all.at(-1);
  const value = whole.at(-1)?.[key];
  if (end === undefined || value === undefined) return [];
  return [...kept.map((step) => ({ x: step.step, y: step[key] })), { x: end.step + 1, y: value }];
}
