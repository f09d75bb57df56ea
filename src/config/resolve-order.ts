/** From an arm's order section to the order that it names, with its options. */

import { type Choice, chooseOptions } from "../order-files/choose-options.js";
import { REPLAY } from "../order-files/replay-options.js";
import type { Declared } from "../orders/declared.js";
import { ORDERS } from "../orders/index.js";
import {
  DEFAULT_LAG,
  type LedgerOptions,
  ledgerOptions,
  readsOf,
  scoreOptions,
  splitOptions,
} from "../orders/ledger-options.js";
import { budgetOf } from "../record/budget.js";
import { trainedPart } from "../record/made-by.js";
import type { ArmSections } from "./arm-schema.js";
import type { Checker, Chosen } from "./checker.js";
import type { OrderReference, OrderSources } from "./order-sources.js";
import type { RunSeeds } from "./run-seeds.js";

export interface ChosenOrder extends Chosen, OrderReference {
  /** How what it reads is come by; absent for an order that reads nothing. */
  readonly ledger?: LedgerOptions;
  /** The last epoch is what `shuffled` would make of it. */
  readonly shuffledLastEpoch?: true;
  /** Whether it trains on another objective than the mean loss over all eligible samples. */
  readonly changesObjective: boolean;
}

/**
 * The order that an arm's section names: one of ours, a file's, or what another run recorded.
 * @throws IbatchError naming the first mistake.
 */
export function resolveOrder(checker: Checker, sections: ArmSections, resolving: Resolving): ChosenOrder {
  const { orders, runs } = resolving;
  const { name, file, replay, shuffledLastEpoch, ...given } = sections.order;
  if (file !== undefined) {
    const { description, sha256, imports } = orders.file(file);
    const { own, ledger, source } = splitOptions(given, description);
    const importing = Object.keys(imports).length > 0 && { imports };
    const reference = { name: description.name, file: { path: file, sha256, ...importing } };
    const written = { choice: orders.choice(file, own), ledger: description.readsLedger && ledger, source };
    return chosen(checker, sections, { reference, written }, resolving);
  }
  const reference = replay === undefined ? ours(checker, name) : replayed(checker, sections, replay, resolving);
  const definition = orders.definition(reference, runs[0].own);
  const { own, ledger, source } = splitOptions(given, readsOf(definition));
  const written = { choice: chooseOptions(definition, own), ledger: definition.readsLedger && ledger, source };
  return chosen(checker, sections, { reference, written }, resolving);
}

interface Written {
  readonly choice: Choice;
  /** As it is written; false for an order that reads none. */
  readonly ledger: false | Readonly<Record<string, unknown>>;
  /** Where the runs are that it reads. */
  readonly source: Readonly<Record<string, unknown>>;
}

function chosen(
  checker: Checker,
  sections: ArmSections,
  { reference, written }: { readonly reference: OrderReference; readonly written: Written },
  resolving: Resolving,
): ChosenOrder {
  const { choice, ledger } = written;
  if (sections.order.shuffledLastEpoch && sections.epochs === 1) {
    throw checker.mistake(["order", "shuffledLastEpoch"], "expected at least 2 epochs: the last one is a shuffle");
  }
  if ("mistake" in choice) throw checker.mistake(["order", ...choice.mistake.path], choice.mistake.what);
  if (choice.declared.ownSizes) refuseRuleOfSizes(checker, reference.name, sections.batching);
  refuseUnfairPlacebo(checker, reference.name, ledger, choice.declared);
  if (ledger !== false && choice.declared.ignoresLedger) refuseUnreadLedger(checker, reference.name, ledger);
  const comeBy = ledger === false ? undefined : withLag(checker, reference.name, ledger, choice.declared);
  const from = readFrom(checker, sections, { name: reference.name, source: written.source, ...choice }, resolving);
  return {
    ...reference,
    ...(from && { from }),
    options: choice.options,
    ...(comeBy && { ledger: comeBy }),
    ...(sections.order.shuffledLastEpoch && { shuffledLastEpoch: true }),
    // Permuted losses choose by chance alone: over epochs each sample is as likely as the others.
    changesObjective: choice.declared.changesObjective && !comeBy?.placebo,
  };
}

interface Resolving {
  readonly orders: OrderSources;
  readonly runs: readonly PlannedSeeds[];
}

/** The seeds of a run, its own and those that it draws by. */
export interface PlannedSeeds extends RunSeeds {
  readonly own: number;
}

/** The runs recorded earlier that an order reads, with a hash of what it reads of them. */
function readFrom(
  checker: Checker,
  { dataset }: ArmSections,
  { name, source, declared }: { name: string; source: Written["source"]; declared: Declared },
  { orders, runs }: Resolving,
): OrderReference["from"] {
  const { from: directory } = checker.parse(scoreOptions, source, { at: ["order"] });
  const { scores: wanted } = declared;
  if (wanted === undefined) {
    if (directory == null) return undefined;
    throw checker.mistake(
      ["order", "from"],
      `order ${name} reads no runs with these options: leave from out, or say from: null where all arms have one`,
    );
  }
  if (directory == null) {
    const what = `order ${name} reads ${wanted.of} of runs recorded earlier`;
    throw checker.mistake(["order"], `${what}: say where they are, as in from: ../runs/NAME/shuffled`);
  }
  const mistake = (what: string) => checker.mistake(["order", "from"], what);
  const named = dataset.name ?? dataset.reference ?? "";
  const seeds = [...new Set(runs.map(({ model }) => model))];
  const parts = runs.map(({ own }) => trainedPart(dataset, own));
  const identity = orders.scores(directory).identity(wanted, { seeds, dataset: named, parts, mistake });
  return { directory, identity };
}

/** Of an order that makes whole epochs nothing is recorded of a lag, as before there was any. */
function withLag(
  checker: Checker,
  order: string,
  written: Readonly<Record<string, unknown>>,
  { eachBatch }: Declared,
): LedgerOptions {
  const { lag, ...options } = checker.parse(ledgerOptions, written, { at: ["order"] });
  if (eachBatch) return { ...options, lag: lag ?? DEFAULT_LAG };
  if (lag === undefined) return options;
  throw checker.mistake(["order", "lag"], `order ${order} makes whole epochs with these options: leave lag out`);
}

/** Options of the ledger beside an order that looks at nothing of it. A scoring pass would be charged, and of no use. */
function refuseUnreadLedger(checker: Checker, order: string, written: Readonly<Record<string, unknown>>): void {
  const usual: Readonly<Record<string, unknown>> = ledgerOptions.parse({});
  const useless = OF_THE_LEDGER.find((key) => written[key] !== undefined && written[key] !== usual[key]);
  if (useless === undefined) return;
  throw checker.mistake(
    ["order", useless],
    `order ${order} chooses by the scores of its candidates alone with these options, and looks at nothing else that is known: ` +
      `leave ${useless} out`,
  );
}
const OF_THE_LEDGER = ["signal", "every", "start", "meanDecay"] as const satisfies readonly (keyof LedgerOptions)[];

/** What is learned of a sample would go to another one: what was drawn once would be drawn for the whole epoch. */
function refuseUnfairPlacebo(
  checker: Checker,
  order: string,
  ledger: Written["ledger"],
  { eachBatch, scoresCandidates, scores, coverage }: Declared,
): void {
  if (ledger === false || !ledger.placebo) return;
  if (scores !== undefined) {
    throw checker.mistake(
      ["order", "placebo"],
      `order ${order} would still know what earlier runs recorded of each sample (${scores.of}), which is not permuted: no ` +
        "control of it; take order pool with placebo: true, which chooses by chance at equal cost",
    );
  }
  if (!eachBatch) return;
  if (ledger.placebo === "seen") {
    const what = `order ${order} decides each batch with these options, and what was seen changes within an epoch`;
    throw checker.mistake(["order", "placebo"], `${what}: take placebo: true, or an order that makes whole epochs`);
  }
  if (scoresCandidates || coverage === "each-once") return; // scores are permuted anew for each batch
  if (coverage === "at-most-once") {
    refuseUnlikeCoverage(checker, order, ledger);
    return;
  }
  throw checker.mistake(
    ["order", "placebo"],
    `with these options order ${order} may draw a sample again within an epoch, and is told of another one when it has: ` +
      "no control of it; take an order that draws each once (cover: true), or as the control a replay of its run with exchange: samples",
  );
}

/** What leaves samples out may draw first what it never saw. Permuted among all samples, that is hidden with the losses. */
function refuseUnlikeCoverage(checker: Checker, order: string, ledger: Readonly<Record<string, unknown>>): void {
  if (ledger.signal === "rescore" || ledger.start === "scored") return; // nothing is left unseen
  throw checker.mistake(
    ["order", "placebo"],
    `with these options order ${order} leaves samples out, and is not told which ones were never seen: it would draw them later ` +
      "than without placebo, and is no control of it; take as the control a replay of its run with exchange: samples, or in " +
      "both arms signal: rescore, by which nothing is left unseen",
  );
}

/** What a batching rule says of its batches has no meaning for those that an order brings. */
function refuseRuleOfSizes(
  checker: Checker,
  order: string,
  { learningRate, lastBatch }: ArmSections["batching"],
): void {
  const what = `order ${order} has batches of its own, whatever the batching rule says`;
  if (learningRate !== undefined && learningRate !== "none") {
    throw checker.mistake(["batching", "learningRate"], `${what}: take learningRate: none`);
  }
  if (lastBatch !== undefined && lastBatch !== "keep") {
    throw checker.mistake(["batching", "lastBatch"], `${what}, the last one among them: take lastBatch: keep`);
  }
}

function ours(checker: Checker, name = ""): OrderReference {
  if (name === REPLAY.name) {
    throw checker.mistake(["order"], "expected the run to replay: order: { replay: DIRECTORY }");
  }
  return { name: checker.find("order", [...ORDERS, REPLAY], name).name };
}

function replayed(
  checker: Checker,
  { dataset, epochs, budget: said, order }: ArmSections,
  directory: string,
  { orders, runs }: Resolving,
): OrderReference {
  const mistake = (what: string) => checker.mistake(["order", "replay"], what);
  const replaying = runs.map(({ own }) => ({ seed: own, part: trainedPart(dataset, own) }));
  const budget = order.shuffledLastEpoch ? undefined : budgetOf(said); // what a shuffle takes of it the data say
  const identity = orders
    .replayed(directory)
    .identity({ runs: replaying, epochs, budget, dataset: dataset.name ?? dataset.reference ?? "", mistake });
  return { name: REPLAY.name, replay: { directory, identity } };
}
