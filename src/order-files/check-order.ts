/** `ibatch order --check`, where the order is at hand. */
import { checkOrder, type Finding, keptOutside } from "../orders/conformance.js";
import type { OrderDefinition } from "../orders/contract.js";
import { asking, declaredBy } from "../orders/declared.js";
import { firstKeptOutside, madeInARow, type Row } from "../orders/kept-outside.js";
import { optionCombinations } from "../orders/option-combinations.js";
import { type Mistake, parsedBy } from "../schema-mistake.js";

type Options = Readonly<Record<string, unknown>>;

export type Checked =
  | { readonly mistake: Mistake }
  /** `tried`: how many sets of options. */
  | { readonly tried: number; readonly findings: readonly Finding[] };

/** Holds an order to the laws of all orders. `fixed`: values that are the same in all sets of options. */
export function checkAll(definition: OrderDefinition, fixed: Options = {}, onCase?: (at: number) => void): Checked {
  if (Object.keys(fixed).length === 0) {
    const findings = checkOrder(definition, undefined, onCase);
    return { tried: countSets(definition), findings };
  }
  const { shape } = definition.options;
  const areKnown = Object.keys(fixed).every((name) => Object.hasOwn(shape, name));
  const sets = areKnown ? asking("options", () => optionCombinations(definition.options, fixed)) : [];
  if (sets.length > 0) return { tried: sets.length, findings: checkOrder(definition, sets, onCase) };
  // Where nothing can be tried, the mistake is in what was set.
  const parsed = parsedBy(definition.options.strict(), fixed);
  return "mistake" in parsed ? parsed : { tried: 1, findings: checkOrder(definition, [parsed.data], onCase) };
}

/** 0 where a schema of the user's own throws, which `checkOrder` has told. */
function countSets({ options }: OrderDefinition): number {
  try {
    return optionCombinations(options).length;
  } catch {
    return 0;
  }
}

/** What an order that keeps the laws makes in a row with each set of options, for `checkAlone` in another thread. */
export function rowsOf(definition: OrderDefinition, fixed: Options = {}): readonly Row[] {
  return optionCombinations(definition.options, fixed).flatMap(
    (options) => madeInARow(definition, options, declaredBy(definition, options)) ?? [],
  );
}

/** Holds a fresh instance of an order to what another one made in rows: the first fault is enough. */
export function checkAlone(definition: OrderDefinition, rows: readonly Row[]): readonly Finding[] {
  for (const row of rows) {
    const seen = firstKeptOutside(definition, row);
    if (seen !== undefined) return [keptOutside(definition, row.options, seen)];
  }
  return [];
}
