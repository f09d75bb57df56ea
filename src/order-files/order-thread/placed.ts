/** What an order's code throws, told with the line of the order's own file in which it was thrown. */
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import type { OrderDefinition } from "../../orders/contract.js";
import { errorText, ToldError } from "../../orders/declared.js";
import { isOwnFile } from "./graph.js";

/** The same error, with `file:line` where the order's own code appears in its stack. */
export function placed(error: unknown, entry: string): unknown {
  if (error instanceof ToldError) return error;
  const place = placeOf(error, entry);
  return place === undefined ? error : new ToldError(`${errorText(error)} (${place})`, { cause: error });
}

/** The definition, whose functions throw what is placed. Not a copy by spreading: members may stand in a prototype. */
export function placing(definition: OrderDefinition, entry: string): OrderDefinition {
  const trying = <T>(act: () => T): T => {
    try {
      return act();
    } catch (error) {
      throw placed(error, entry);
    }
  };
  const { name, summary, whenToChoose, options, readsLedger, deviation, memory } = definition;
  const { ownSizes, unknownProbabilities } = definition;
  return {
    ...{ name, summary, whenToChoose, options, readsLedger },
    ...(deviation !== undefined && { deviation }),
    ...(memory !== undefined && { memory }),
    ...(ownSizes !== undefined && { ownSizes }),
    ...(unknownProbabilities !== undefined && { unknownProbabilities }),
    ...(definition.signals && { signals: (given) => trying(() => definition.signals?.(given) ?? []) }),
    ...(definition.changesObjective && {
      changesObjective: (given) => trying(() => definition.changesObjective?.(given) ?? false),
    }),
    coverage: (given) => trying(() => definition.coverage(given)),
    changesEachEpoch: (given) => trying(() => definition.changesEachEpoch(given)),
    dependsOnSeed: (given) => trying(() => definition.dependsOnSeed(given)),
    order: (context) => trying(() => definition.order(context)),
  };
}

/** `file:line` of the innermost frame in one of the order's own files, or of the line that cannot be parsed. */
function placeOf(error: unknown, entry: string): string | undefined {
  if (!(error instanceof Error) || typeof error.stack !== "string") return undefined;
  for (const line of error.stack.split("\n")) {
    const [, where, number] = FRAME.exec(line) ?? UNPARSED.exec(line) ?? [];
    const path = where?.startsWith("file:") ? fileURLToPath(where) : where;
    if (path !== undefined && isOwnFile(path, entry)) return `${basename(path)}:${number}`;
  }
  return undefined;
}

/** `    at order (file:///a/b.mjs:3:7)`, `    at /a/b.cjs:3:7`. */
const FRAME = /^ +at (?:async )?(?:.*? \()?((?:file:|\/|[A-Za-z]:[\\/]).*):(\d+):\d+\)?$/;
/** `/a/b.cjs:3`, which Node writes above a line of source. */
const UNPARSED = /^((?:file:|\/|[A-Za-z]:[\\/]).*):(\d+)$/;
