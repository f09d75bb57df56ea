import { setImmediate } from "node:timers/promises";
import { Checker } from "../config/checker.js";
import { parseValue } from "../config/setting.js";
import { Interrupted, usageError } from "../errors.js";
import { plainNumbers } from "../exact-json.js";
import { countClasses } from "../kernels/classes.js";
import { consecutive } from "../kernels/consecutive.js";
import { random } from "../kernels/random.js";
import { dataDirectory, openToAsk } from "../launch/chosen-backend.js";
import { markdown } from "../markdown-table.js";
import type { RunOrder } from "../order-files/run-order.js";
import { CASES } from "../orders/conformance-cases.js";
import { emptyLedger } from "../orders/context.js";
import type { LedgerView, OrderResult } from "../orders/contract.js";
import { ledgerOptions, splitOptions } from "../orders/ledger-options.js";
import { readSignalFile } from "../record/recorded-signals.js";
import type { Mistake } from "../schema-mistake.js";
import { checkedOrder } from "../training/make-plan.js";
import { PermutedLedger } from "../training/placebo.js";
import { EXIT } from "./exit-codes.js";
import { type NamedOrder, openOrder } from "./named-order.js";
import { type OrderOptions, orderCommand } from "./order-command.js";
import { renderFindings } from "./order-findings.js";
import { openProbe } from "./probe-session.js";

interface Labelled {
  readonly what: string;
  readonly labels: Uint32Array;
  readonly classNames: readonly string[];
}

/** `ibatch order NAME`. */
export async function order(name: string, options: OrderOptions, signal: AbortSignal): Promise<number> {
  const named = await openOrder(name, { signal, limit: { seconds: options.seconds, setBy: "--seconds" } });
  try {
    return options.check ? await check(named, options) : await show(named, options, signal);
  } finally {
    await named.stop();
  }
}

async function check(order: NamedOrder, options: OrderOptions): Promise<number> {
  refuseMeaningless(options);
  const { name } = order.description;
  const checked = await order.check(readOptions(options.set));
  if ("mistake" in checked) throw mistakeInSettings(checked.mistake);
  const { tried, findings } = checked;
  const sets = tried === 1 ? "1 set of options" : `${tried} sets of options`;
  process.stdout.write(
    findings.length === 0
      ? `${name} keeps the laws of orders (${sets} tried on ${CASES.length} cases)\n`
      : `${name} breaks laws of orders:\n\n${renderFindings(findings, tried)}`,
  );
  return findings.length === 0 ? EXIT.done : EXIT.no;
}

/** What of the command's options says something about a check. */
const OF_A_CHECK = ["check", "set", "seconds"];

function refuseMeaningless(options: OrderOptions): void {
  const defaults: Readonly<Record<string, unknown>> = orderCommand.options.parse({});
  const meaningless = Object.entries(options).find(
    ([name, value]) => !OF_A_CHECK.includes(name) && value !== defaults[name],
  );
  if (meaningless === undefined) return;
  throw usageError(`--${meaningless[0]} means nothing with --check, which tries the order on cases of its own`);
}

const settingsChecker = new Checker((path) => (path.length === 0 ? "--set" : `--set ${path.join(".")}`));
const mistakeInSettings = ({ path, what }: Mistake) => settingsChecker.mistake(path, what);

async function show(named: NamedOrder, options: OrderOptions, signal: AbortSignal): Promise<number> {
  const { name, summary, readsLedger } = named.description;
  const given = splitOptions(readOptions(options.set), readsLedger);
  const choice = await named.choose(given.own);
  if ("mistake" in choice) throw mistakeInSettings(choice.mistake);
  const ledger = readsLedger ? settingsChecker.parse(ledgerOptions, given.ledger) : undefined;
  const order = named.start(choice.options, choice.declared);
  const losses = options.losses === undefined ? undefined : readLosses(options.losses, order);
  const { what, labels, classNames } =
    options.dataset === undefined
      ? madeUp(losses === undefined ? options : { ...options, samples: losses.length })
      : await datasetLabels(options.dataset, options, signal);
  if (losses !== undefined && losses.length !== labels.length) {
    throw usageError(
      `--losses ${options.losses} has ${losses.length} values, ${what}: take the losses of this dataset`,
    );
  }
  const seen = losses === undefined ? emptyLedger(labels.length, order.signals) : ledgerOf(losses);
  const eligible = consecutive(labels.length);
  const memory = await order.allocateMemory(labels.length);
  const out = [
    `${name}: ${summary}`,
    `${what}; batches of ${options.size}; seed ${options.seed}`,
    ...(readsLedger && losses === undefined ? [NO_LOSSES] : []),
    ...(order.eachBatch ? [NOTHING_LEARNED] : []),
    ...(order.scoresCandidates ? [losses === undefined ? SCORES_MADE_UP : SCORES_OF_FILE] : []),
    "",
  ];
  let step = 0;
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    await setImmediate(); // a turn in which Ctrl-C is heard
    if (signal.aborted) throw new Interrupted();
    const inputs = {
      ...{ seed: options.seed, epoch, epochs: options.epochs, step, labels, eligible, memory },
      classCount: classNames.length,
      ledger: ledger?.placebo ? new PermutedLedger(seen, eligible, { seed: options.seed, epoch }).view : seen,
      sizes: options.size,
    };
    const result = await checkedOrder(order, inputs, { eligible, size: () => options.size });
    step += result.offsets.length - 1;
    out.push(renderEpoch(epoch, result, labels, classNames, options.batches));
  }
  process.stdout.write(`${out.join("\n")}\n`);
  return EXIT.done;
}

const NOTHING_LEARNED = "each batch is decided by itself, here with nothing learned from the ones before it";
const SCORES_MADE_UP = "candidates are scored by made-up numbers, one for each sample";
const SCORES_OF_FILE = "candidates are scored by these losses; by made-up numbers where there is none";
const NO_LOSSES = "no losses yet, as in a run's first epoch; name some with --losses FILE";

function readLosses(path: string, { name, readsLedger, signals }: RunOrder) {
  if (!readsLedger) throw usageError(`--losses ${path}: order ${name} does not look at losses`);
  if (signals.length > 0)
    throw usageError(`--losses ${path}: these options read ${signals.join(", ")}, not losses alone`);
  const losses = readSignalFile(path);
  if (losses.length === 0) throw usageError(`--losses ${path} holds no values`);
  return losses;
}

/** What is known after one pass that gave these losses. */
function ledgerOf(losses: Float32Array): LedgerView {
  const ledger = emptyLedger(losses.length);
  ledger.loss.set(losses);
  ledger.meanLoss.set(losses);
  for (let sample = 0; sample < losses.length; sample++) {
    if (!Number.isNaN(losses[sample])) ledger.seenAtStep[sample] = 0;
  }
  return ledger;
}

function readOptions(settings: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    settings.map((setting) => {
      const equals = setting.indexOf("=");
      if (equals < 1) throw usageError(`--set ${setting}: expected option=value, for instance leftovers=short`);
      const value = parseValue(`--set ${setting}`, setting.slice(equals + 1));
      return [setting.slice(0, equals), plainNumbers(value)];
    }),
  );
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

function madeUp({ samples, classes, seed }: OrderOptions): Labelled {
  const numbers = random(seed, "subset", 0);
  return {
    what: `${samples} samples, ${classes} classes at random`,
    labels: Uint32Array.from({ length: samples }, () => numbers.below(classes)),
    classNames: Array.from({ length: classes }, (_, at) => (classes <= LETTERS.length ? LETTERS[at] : String(at))),
  };
}

/** The labels of a real dataset: only the backend opens data files, so it is asked. */
async function datasetLabels(name: string, options: OrderOptions, signal: AbortSignal): Promise<Labelled> {
  const backend = await openToAsk(options, signal);
  try {
    const session = await openProbe(backend.client, name, dataDirectory(options), signal);
    const { labels, opened } = session;
    await session.close();
    return {
      what: `${name}: ${labels.length} samples, ${opened.classNames.length} classes`,
      labels,
      classNames: opened.classNames,
    };
  } finally {
    await backend.stop();
  }
}

const MOST_INDICES = 8;
const MOST_CLASSES = 12;

function renderEpoch(
  epoch: number,
  { indices, offsets }: OrderResult,
  labels: Uint32Array,
  classNames: readonly string[],
  mostBatches: number,
): string {
  const batches = offsets.length - 1;
  const shownClasses = classNames.slice(0, MOST_CLASSES);
  const rows = Array.from({ length: Math.min(batches, mostBatches) }, (_, batch) => {
    const members = indices.subarray(offsets[batch], offsets[batch + 1]);
    const counts = countClasses(members, labels, classNames.length);
    const shown = [...members.subarray(0, MOST_INDICES)].join(" ");
    return [
      String(batch),
      String(members.length),
      ...shownClasses.map((_, label) => (counts[label] === 0 ? "·" : String(counts[label]))),
      members.length > MOST_INDICES ? `${shown} …` : shown,
    ];
  });
  const table = markdown(["batch", "size", ...shownClasses, "indices"], rows);
  const more = batches > mostBatches ? `… and ${batches - mostBatches} batches more\n` : "";
  const moreClasses =
    classNames.length > MOST_CLASSES ? `… and ${classNames.length - MOST_CLASSES} classes more\n` : "";
  return `epoch ${epoch}: ${indices.length} samples in ${batches} batches\n\n${table}${more}${moreClasses}`;
}
