import { IbatchError, Interrupted } from "../errors.js";
import { countClasses } from "../kernels/classes.js";
import { markdown } from "../markdown-table.js";
import { CASES } from "../orders/conformance-cases.js";
import type { OrderResult } from "../orders/contract.js";
import { counted } from "../results/number-text.js";
import { EXIT } from "./exit-codes.js";
import { isOrder, type NamedOrder, openOrder } from "./named-order.js";
import type { OrderOptions } from "./order-command.js";
import { mistakeInSettings, openEpochs, readOptions, sizesOf } from "./order-epochs.js";
import { renderFindings } from "./order-findings.js";
import { refuseMeaningless } from "./order-modes.js";
import { judgeFiles, judgeOrder } from "./order-quality.js";

/** `ibatch order NAME`. */
export async function order(names: readonly string[], options: OrderOptions, signal: AbortSignal): Promise<number> {
  refuseMeaningless(names, options);
  const [name] = names;
  if (options.quality && !isOrder(name)) return await judgeFiles(names, options, signal);
  const named = await openOrder(name, { signal, limit: { seconds: options.seconds, setBy: "--seconds" } });
  try {
    if (options.quality) return await judgeOrder(named, options, signal);
    return options.check ? await check(named, options) : await show(named, options, signal);
  } catch (error) {
    throw asNo(error);
  } finally {
    await named.stop();
  }
}

/** What an order does wrong is no failure of a run here: there is none. */
function asNo(error: unknown): unknown {
  if (!(error instanceof IbatchError) || error instanceof Interrupted || error.kind !== "run") return error;
  return new IbatchError("check", error.message, { cause: error });
}

async function check(order: NamedOrder, options: OrderOptions): Promise<number> {
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

/** Where the command line does not say: what fits a screen. */
const SHOWN = { samples: 11, size: 3, epochs: 2 };

async function show(named: NamedOrder, options: OrderOptions, signal: AbortSignal): Promise<number> {
  const sizes = sizesOf(options, SHOWN);
  const { title, what, labels, classNames, notes, of } = await openEpochs(named, options, sizes, signal);
  const out = [title, `${what}; batches of ${sizes.size}; seed ${options.seed}`, ...notes, ""];
  let epoch = 1; // as errors count them
  for await (const result of of(options.seed)) {
    out.push(renderEpoch(epoch, result, labels, classNames, options.batches));
    epoch++;
  }
  process.stdout.write(`${out.join("\n")}\n`);
  return EXIT.done;
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
  return `epoch ${epoch}: ${counted(indices.length, "sample")} in ${counted(batches, "batch", "batches")}\n\n${table}${more}${moreClasses}`;
}
