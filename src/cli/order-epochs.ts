/** The epochs of a named order, made before anything is trained with it, for whoever shows or judges them. */
import { setImmediate } from "node:timers/promises";
import { Checker } from "../config/checker.js";
import { parseValue } from "../config/setting.js";
import { Interrupted, usageError } from "../errors.js";
import { plainNumbers } from "../exact-json.js";
import { consecutive } from "../kernels/consecutive.js";
import { random } from "../kernels/random.js";
import type { RunOrder } from "../order-files/run-order.js";
import { emptyLedger } from "../orders/context.js";
import type { LedgerView, OrderResult } from "../orders/contract.js";
import { ledgerOptions, splitOptions } from "../orders/ledger-options.js";
import { readLabelFile } from "../record/index-file.js";
import { readSignalFile } from "../record/recorded-signals.js";
import type { Mistake } from "../schema-mistake.js";
import { checkedOrder } from "../training/make-plan.js";
import { placeboOf } from "../training/placebo.js";
import type { NamedOrder } from "./named-order.js";
import type { OrderOptions } from "./order-command.js";

/** What a command takes where its line does not say. */
export interface Sizes {
  readonly samples: number;
  readonly size: number;
  readonly epochs: number;
}

export function sizesOf(options: OrderOptions, otherwise: Sizes): Sizes {
  const { samples, size, epochs } = options;
  return {
    samples: samples ?? otherwise.samples,
    size: size ?? otherwise.size,
    epochs: epochs ?? otherwise.epochs,
  };
}

export interface Labelled {
  readonly what: string;
  readonly labels: Uint32Array;
  readonly classNames: readonly string[];
}

interface OrderEpochs extends Labelled {
  readonly title: string;
  /** What is to be known before the epochs are looked at, a line each. */
  readonly notes: readonly string[];
  /** @throws Interrupted */
  of(seed: number): AsyncGenerator<OrderResult>;
}

export async function openEpochs(
  named: NamedOrder,
  options: OrderOptions,
  sizes: Sizes,
  signal: AbortSignal,
): Promise<OrderEpochs> {
  const { name, summary, readsLedger } = named.description;
  const given = splitOptions(readOptions(options.set), named.description);
  if (given.source.from !== undefined) {
    throw usageError(
      "--set from: no runs are read here; --losses FILE gives values in their place, a float32 a sample",
    );
  }
  const choice = await named.choose(given.own);
  if ("mistake" in choice) throw mistakeInSettings(choice.mistake);
  const ledger = readsLedger ? settingsChecker.parse(ledgerOptions, given.ledger) : undefined;
  const order = named.start(choice.options, choice.declared);
  const losses = options.losses === undefined ? undefined : readLosses(options.losses, order);
  const labelled =
    (await realLabels(options, signal)) ?? madeUp(options, losses === undefined ? sizes.samples : losses.length);
  const { what, labels, classNames } = labelled;
  if (losses !== undefined && losses.length !== labels.length) {
    throw usageError(
      `--losses ${options.losses} has ${losses.length} values, ${what}: take the losses of this dataset`,
    );
  }
  const isScores = order.scores !== undefined;
  const seen = losses === undefined || isScores ? emptyLedger(labels.length, order.signals) : ledgerOf(losses);
  const scores = isScores ? (losses ?? new Float32Array(labels.length).fill(Number.NaN)) : undefined;
  const eligible = consecutive(labels.length);
  async function* epochsOf(seed: number) {
    const memory = await order.allocateMemory(labels.length);
    let step = 0;
    for (let epoch = 0; epoch < sizes.epochs; epoch++) {
      await setImmediate(); // a turn in which Ctrl-C is heard
      if (signal.aborted) throw new Interrupted();
      const inputs = {
        ...{ seed, epoch, epochs: sizes.epochs, step, labels, eligible, memory },
        classCount: classNames.length,
        ledger: placeboOf(ledger, seen, eligible, { seed, epoch })?.view ?? seen,
        sizes: sizes.size,
        scores,
      };
      const result = await checkedOrder(order, inputs, { eligible, size: () => sizes.size });
      step += result.offsets.length - 1;
      yield result;
    }
  }
  const notes = [
    ...(readsLedger && losses === undefined ? [NO_LOSSES] : []),
    ...(isScores && losses === undefined ? [NO_SCORES] : []),
    ...(order.eachBatch ? [NOTHING_LEARNED] : []),
    ...(order.scoresCandidates ? [losses === undefined ? SCORES_MADE_UP : SCORES_OF_FILE] : []),
  ];
  return { ...labelled, title: `${name}: ${summary}`, notes, of: epochsOf };
}

const NOTHING_LEARNED = "each batch is decided by itself, here with nothing learned from the ones before it";
const SCORES_MADE_UP = "candidates are scored by made-up numbers, one for each sample";
const SCORES_OF_FILE = "candidates are scored by these losses; by made-up numbers where there is none";
const NO_LOSSES = "no losses yet, as in a run's first epoch; name some with --losses FILE";
const NO_SCORES = "nothing is known of runs recorded earlier; name values in their place with --losses FILE";

const settingsChecker = new Checker((path) => (path.length === 0 ? "--set" : `--set ${path.join(".")}`));
export const mistakeInSettings = ({ path, what }: Mistake) => settingsChecker.mistake(path, what);

function readLosses(path: string, { name, readsLedger, signals, scores }: RunOrder) {
  if (!readsLedger && scores === undefined) throw usageError(`--losses ${path}: order ${name} does not look at losses`);
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

export function readOptions(settings: readonly string[]): Record<string, unknown> {
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

function madeUp({ classes, seed }: OrderOptions, samples: number): Labelled {
  const numbers = random(seed, "subset", 0);
  return {
    what: `${samples} samples, ${classes} classes at random`,
    labels: new Uint32Array(samples).map(() => numbers.below(classes)),
    classNames: Array.from({ length: classes }, (_, at) => (classes <= LETTERS.length ? LETTERS[at] : String(at))),
  };
}

/** Those of a file or a dataset, where one is named. */
export async function realLabels(options: OrderOptions, signal: AbortSignal): Promise<Labelled | undefined> {
  if (options.labels === undefined) {
    if (options.dataset === undefined) return undefined;
    const { datasetLabels } = await import("./dataset-labels.js"); // others need no backend
    return await datasetLabels(options.dataset, options, signal);
  }
  if (options.dataset !== undefined) throw usageError("--labels and --dataset both say the classes: give one of them");
  const labels = readLabelFile(options.labels);
  const classes = labels.reduce((most, label) => Math.max(most, label), 0) + 1;
  if (classes > labels.length) {
    throw usageError(
      `--labels ${options.labels} has label ${classes - 1} among ${labels.length} samples: expected classes from 0 on`,
    );
  }
  return {
    what: `${options.labels}: ${labels.length} samples, ${classes} classes`,
    labels,
    classNames: Array.from({ length: classes }, (_, at) => String(at)),
  };
}
