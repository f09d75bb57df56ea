/** An order's options as somebody wrote them, checked and completed, and what the order says of itself with them. */

import { isRecord } from "../exact-json.js";
import { EXTRA_SIGNALS, type OrderDefinition } from "../orders/contract.js";
import { type Declared, declaredBy, errorText, unknownWords } from "../orders/declared.js";
import { orderOptions } from "../orders/ledger-options.js";
import { type Mistake, parsedBy } from "../schema-mistake.js";

export type Choice =
  | { readonly mistake: Mistake }
  | { readonly options: Readonly<Record<string, unknown>>; readonly declared: Declared };

/** `given`: its own options, not the ledger's. Throws nothing: what the order's author wrote may. */
export function chooseOptions(definition: OrderDefinition, given: Readonly<Record<string, unknown>>): Choice {
  const { name } = definition;
  try {
    // Strict whatever the order says: an option that is mistyped is never passed over.
    const parsed = parsedBy(definition.options.strict(), given, Object.keys(orderOptions(definition).shape));
    if ("mistake" in parsed) return parsed;
    const options: unknown = parsed.data;
    if (!isRecord(options)) return wrong(`order ${name}: its options must be a map`);
    const declared = declaredBy(definition, options);
    const what = wrongWords(declared);
    return what === undefined ? { options, declared } : wrong(`order ${name} declares ${what}`);
  } catch (error) {
    return wrong(`order ${name} failed to say what it reads and changes: ${errorText(error)}`);
  }
}

const wrong = (what: string): Choice => ({ mistake: { path: [], what } });

/** What is declared that is no word of the contract, or a signal twice. */
function wrongWords(declared: Declared): string | undefined {
  const [unknown] = unknownWords(declared);
  if (unknown !== undefined) return `${unknown.seen}, expected ${unknown.expected}`;
  const twice = declared.signals.find((signal, at) => declared.signals.indexOf(signal) !== at);
  return twice === undefined ? undefined : `the signal ${twice} twice, expected some of ${EXTRA_SIGNALS.join(", ")}`;
}
