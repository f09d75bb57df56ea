/** `ibatch order --quality`: can a sequence of indices be told apart from a uniform shuffle? */
import { usageError } from "../errors.js";
import { markdown } from "../markdown-table.js";
import { cut } from "../orders/contract.js";
import { type Judgement, judge } from "../quality/judge.js";
import type { Sequence, Sequences } from "../quality/sequences.js";
import { readIndexFile } from "../record/index-file.js";
import { counted, pText } from "../results/number-text.js";
import { EXIT } from "./exit-codes.js";
import type { NamedOrder } from "./named-order.js";
import { MOST, type OrderOptions } from "./order-command.js";
import { openEpochs, realLabels, sizesOf } from "./order-epochs.js";

/** Where the command line does not say: enough for faults that matter, in a second. */
const JUDGED = { samples: 10_000, size: 64, epochs: 4 };
const SEEDS = 2;

/** An order, by the epochs that it makes from this seed on. */
export async function judgeOrder(named: NamedOrder, options: OrderOptions, signal: AbortSignal): Promise<number> {
  const sizes = sizesOf(options, JUDGED);
  const { title, what, labels, notes, of } = await openEpochs(named, options, sizes, signal);
  const all: Sequence[] = [];
  for (let seed = options.seed; seed < options.seed + (options.seeds ?? SEEDS); seed++) {
    let epoch = 0;
    for await (const { indices, offsets } of of(seed)) {
      all.push({ seed, epoch, indices, offsets });
      epoch++;
    }
  }
  return say([title, ...notes], `${what}; batches of ${sizes.size}`, { n: labels.length, all, labels });
}

/** Files of indices; where there are several, each has seeds of its own. */
export async function judgeFiles(
  paths: readonly string[],
  options: OrderOptions,
  signal: AbortSignal,
): Promise<number> {
  const { samples, seeds } = options;
  const { size } = sizesOf(options, JUDGED);
  const held = paths.flatMap((path) => readIndexFile(path, { samples, seeds }).map((epochs) => ({ path, epochs })));
  if (samples === undefined) for (const { path, epochs } of held) refuseEpochsInOne(path, epochs);
  const labelled = await realLabels(options, signal);
  const known = knownSize(options, labelled?.labels.length);
  const all = held.flatMap(({ path, epochs }, seed) =>
    epochs.map((indices, epoch) => {
      refuseBeyond(`${path}: epoch ${epoch}`, indices, known);
      return { seed, epoch, indices, offsets: cut(indices.length, () => size) };
    }),
  );
  const n = known?.n ?? sizeOf(all, paths.join(", "));
  const classes = labelled === undefined ? "" : `; classes of ${labelled.what}`;
  const hints = samples === undefined ? held.flatMap(({ path, epochs }) => epochsInOne(path, epochs)) : [];
  const judged = { n, all, labels: labelled?.labels };
  return say([paths.join(", ")], `${n} samples; batches of ${size}${classes}`, judged, hints);
}

/** What to do where an epoch holds more indices than there are samples by it: several that leave samples out look so. */
function epochsInOne(path: string, [indices, ...more]: readonly Uint32Array[]): string[] {
  const n = largest(indices) + 1;
  if (more.length > 0 || indices.length <= n) return [];
  return [
    `${path}: one epoch of ${indices.length} indices, the largest of which is ${n - 1}. Where these are several epochs, one after ` +
      "another, part them: with --samples N where each has all N samples; else as .npy of epochs × indices, or as text with a " +
      "blank line between two",
  ];
}

/** @throws IbatchError where all indices come equally often, as in epochs one after another that nothing parts. */
function refuseEpochsInOne(path: string, [indices, ...more]: readonly Uint32Array[]): void {
  const n = largest(indices) + 1;
  const times = indices.length / n;
  if (more.length > 0 || times < 2 || !Number.isInteger(times)) return;
  const counts = new Uint32Array(n);
  for (const index of indices) counts[index] += 1;
  if (counts.some((count) => count !== times)) return;
  throw usageError(
    `${path}: each of ${n} indices comes ${times} times. Where these are ${times} epochs, one after another, give ` +
      `--samples ${n} (in text part them by blank lines)`,
  );
}

interface KnownSize {
  readonly n: number;
  readonly from: string;
}

function knownSize({ samples, labels, dataset }: OrderOptions, labelled: number | undefined): KnownSize | undefined {
  if (labelled === undefined) return samples === undefined ? undefined : { n: samples, from: `--samples ${samples}` };
  const from = labels === undefined ? `--dataset ${dataset}` : `--labels ${labels}`;
  if (samples === undefined || samples === labelled) return { n: labelled, from };
  throw usageError(`${from} has ${labelled} samples, --samples says ${samples}: leave --samples out, or name others`);
}

/** One more than the largest index, where that can be one: bytes of something else hold enormous ones. */
function sizeOf(all: readonly Sequence[], from: string): number {
  const n = all.reduce((most, { indices }) => Math.max(most, largest(indices)), 0) + 1;
  if (n <= MOST) return n;
  throw usageError(
    `${from}: the largest index is ${n - 1}, expected at most ${MOST - 1}: is this a file of indices? (32 bits each, .npy, or text)`,
  );
}

const largest = (indices: Uint32Array): number => indices.reduce((most, index) => Math.max(most, index), 0);

function refuseBeyond(where: string, indices: Uint32Array, known: KnownSize | undefined): void {
  if (known === undefined) return;
  const place = indices.findIndex((index) => index >= known.n);
  if (place < 0) return;
  throw usageError(
    `${where} has index ${indices[place]} at place ${place}: expected 0 to ${known.n - 1}, by ${known.from}`,
  );
}

function say(title: readonly string[], what: string, sequences: Sequences, hints: readonly string[] = []): number {
  const judgement = judge(sequences);
  const seeds = new Set(sequences.all.map(({ seed }) => seed)).size;
  const { length } = sequences.all;
  const epochs =
    length % seeds === 0
      ? `${counted(seeds, "seed")} × ${counted(length / seeds, "epoch")}`
      : `${counted(length, "epoch")} of ${counted(seeds, "seed")}`;
  const head = [...title, `${what}; ${epochs}`, ""];
  process.stdout.write(`${[...head, ...render(judgement), ...hints].join("\n")}\n`);
  return judgement.off.length === 0 ? EXIT.done : EXIT.no;
}

function render({ notEachOnce, equal, tests, skipped, off }: Judgement): string[] {
  const rows = tests.map(({ name, seen, usual, p, holm }) => [name, seen, usual, pText(p), pText(holm)]);
  const header = ["test", "seen", "95 % of shuffles", "p", "Holm"];
  return [
    ...listed("each index once", notEachOnce, "yes"),
    ...listed(
      equal.length === 0 ? "equal sequences" : "equal sequences, one of which is looked at below",
      equal,
      "none",
    ),
    "",
    ...(rows.length === 0 ? [] : [markdown(header, rows)]),
    ...(rows.length === 0 ? [] : [legend(tests)]),
    ...skipped.map(({ name, why }) => `${name}: not asked, as ${why}`),
    ...(skipped.length === 0 ? [] : [""]),
    `verdict: ${verdict(off, tests.length)}`,
  ];
}

/** What the tests that are shown ask; in lines of 80 characters, as the table is. */
const LEGEND = {
  "spread:": "spread: variance of counts in batches, as a multiple of a uniform shuffle's",
  "most frequent": "step: from an index to the next; the most frequent one, and how often it comes",
  "epochs:": `epochs, seeds: two epochs of one seed, or of two. An index's places in both are
correlated (the furthest of all pairs), the same, or a shift apart (cyclic, the
most frequent); batches: spread of a batch's samples over the other's batches`,
};

function legend(tests: readonly { readonly name: string }[]): string {
  const isShown = (start: string) =>
    tests.some(({ name }) => name.startsWith(start) || (start === "epochs:" && name.startsWith("seeds:")));
  return Object.entries(LEGEND)
    .flatMap(([start, text]) => (isShown(start) ? [`${text}\n`] : []))
    .join("");
}

/** Lines of one kind that are shown. */
const MOST_LINES = 4;

function listed(what: string, lines: readonly string[], otherwise: string): string[] {
  if (lines.length === 0) return [`${what}: ${otherwise}`];
  const more = lines.length > MOST_LINES ? [`  … and ${lines.length - MOST_LINES} more`] : [];
  return [`${what}:`, ...lines.slice(0, MOST_LINES).map((line) => `  ${line}`), ...more];
}

function verdict(off: readonly string[], tests: number): string {
  if (off.length > 0) {
    const more = off.length > MOST_LINES ? [`and ${off.length - MOST_LINES} more`] : [];
    return `no uniform shuffle: ${[...off.slice(0, MOST_LINES), ...more].join("; ")}`;
  }
  if (tests === 0) return "nothing wrong is seen, and there is too little to tell";
  return `cannot be told apart from a uniform shuffle (${counted(tests, "test")}, p < 0.05 after Holm in none)`;
}
