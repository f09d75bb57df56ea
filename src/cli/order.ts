import { setImmediate } from "node:timers/promises";
import { Interrupted, usageError } from "../errors.js";
import { Checker } from "../experiment/checker.js";
import { parseValue } from "../experiment/config-source.js";
import { countClasses } from "../kernels/classes.js";
import { random } from "../kernels/random.js";
import { allocateMemory, orderContext } from "../orders/context.js";
import type { OrderResult } from "../orders/contract.js";
import { findOrder } from "../orders/index.js";
import { markdown } from "../report/table.js";
import { dataDirectory, openToAsk } from "./chosen-backend.js";
import { EXIT } from "./exit-codes.js";
import type { OrderOptions } from "./order-command.js";
import { openProbe } from "./probe-session.js";

interface Labelled {
  readonly what: string;
  readonly labels: Uint32Array;
  readonly classNames: readonly string[];
}

/** `ibatch order NAME`. */
export async function order(name: string, options: OrderOptions, signal: AbortSignal): Promise<number> {
  const definition = findOrder(name);
  const orderOptions = new Checker((path) => `--set ${path.join(".")}`).parse(
    definition.options,
    readOptions(options.set),
  );
  const { what, labels, classNames } =
    options.dataset === undefined ? madeUp(options) : await datasetLabels(options.dataset, options, signal);
  const memory = allocateMemory(definition.memory ?? {}, labels.length);
  const out = [`${name}: ${definition.summary}`, `${what}; batches of ${options.size}; seed ${options.seed}`, ""];
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    await setImmediate(); // a turn in which Ctrl-C is heard
    if (signal.aborted) throw new Interrupted();
    const context = orderContext({
      options: orderOptions,
      seed: options.seed,
      epoch,
      labels,
      classCount: classNames.length,
      memory,
      size: options.size,
    });
    out.push(renderEpoch(epoch, definition.order(context), labels, classNames, options.batches));
  }
  process.stdout.write(`${out.join("\n")}\n`);
  return EXIT.done;
}

function readOptions(settings: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    settings.map((setting) => {
      const equals = setting.indexOf("=");
      if (equals < 1) throw usageError(`--set ${setting}: expected option=value, for instance leftovers=short`);
      return [setting.slice(0, equals), parseValue(`--set ${setting}`, setting.slice(equals + 1))];
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
