/** From an arm's order section to the order that it names, with its options. */
import { EXTRA_SIGNALS, type OrderDefinition } from "../orders/contract.js";
import { type Declared, declaredBy, errorText } from "../orders/declared.js";
import { ORDERS } from "../orders/index.js";
import type { Checker, Chosen } from "./checker.js";
import { type LedgerOptions, parseOrderOptions } from "./ledger-options.js";
import type { OrderReference, OrderSources } from "./order-sources.js";
import { REPLAY } from "./replay.js";
import type { ArmSections } from "./schema.js";

export interface ChosenOrder extends Chosen, OrderReference {
  /** How what it reads is come by; absent for an order that reads nothing. */
  readonly ledger?: LedgerOptions;
  /** Whether it trains on another objective than the mean loss over all eligible samples. */
  readonly changesObjective: boolean;
}

/**
 * The order that an arm's section names: one of ours, a file's, or what another run recorded.
 * @throws IbatchError naming the first mistake.
 */
export function resolveOrder(
  checker: Checker,
  { order, batching, dataset, epochs }: ArmSections,
  { orders, seeds }: { readonly orders: OrderSources; readonly seeds: readonly number[] },
): ChosenOrder {
  const { name, file, replay, ...given } = order;
  let reference: OrderReference;
  if (file !== undefined) {
    const { definition, sha256 } = orders.file(file);
    reference = { name: definition.name, file: { path: file, sha256 } };
  } else if (replay !== undefined) {
    const mistake = (what: string) => checker.mistake(["order", "replay"], what);
    const identity = orders
      .replayed(replay)
      .identity({ seeds, epochs, dataset: dataset.name ?? dataset.reference ?? "", mistake });
    if (batching.learningRate !== undefined && batching.learningRate !== "none") {
      const what = "a replay has its recorded batches, whatever the batching rule says: take learningRate: none";
      throw checker.mistake(["batching", "learningRate"], what);
    }
    reference = { name: REPLAY.name, replay: { directory: replay, identity } };
  } else if (name === REPLAY.name) {
    throw checker.mistake(["order"], "expected the run to replay: order: { replay: DIRECTORY }");
  } else {
    reference = { name: checker.find("order", ORDERS, name ?? "").name };
  }
  const definition = orders.definition(reference, seeds[0]);
  const { own, ledger } = parseOrderOptions(checker, definition, given, ["order"]);
  const declared = declarations(checker, definition, own);
  const { signals } = declared;
  if (new Set(signals).size < signals.length || signals.some((signal) => !EXTRA_SIGNALS.includes(signal))) {
    const expected = `expected some of ${EXTRA_SIGNALS.join(", ")}`;
    throw checker.mistake(
      ["order"],
      `order ${definition.name} declares the signals ${signals.join(", ")}, ${expected}`,
    );
  }
  return {
    ...reference,
    options: own,
    ...(ledger && { ledger }),
    // Permuted losses choose by chance alone: over epochs each sample is as likely as the others.
    changesObjective: declared.changesObjective && ledger?.placebo !== true,
  };
}

/** What an order says of itself with these options; its author's code may throw. */
function declarations(checker: Checker, definition: OrderDefinition, own: Readonly<Record<string, unknown>>): Declared {
  try {
    return declaredBy(definition, own);
  } catch (error) {
    throw checker.mistake(
      ["order"],
      `order ${definition.name} failed to say what it reads and changes: ${errorText(error)}`,
    );
  }
}
