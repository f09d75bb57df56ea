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

/** The definition, whose functions throw what is placed. */
export function placing(definition: OrderDefinition, entry: string): OrderDefinition {
  const empty: OrderDefinition = Object.create(definition); // a frozen one may not be given other members
  return new Proxy(empty, {
    get(_, name) {
      const member: unknown = Reflect.get(definition, name);
      if (typeof member !== "function") return member;
      return (...given: unknown[]): unknown => {
        try {
          return Reflect.apply(member, definition, given);
        } catch (error) {
          throw placed(error, entry);
        }
      };
    },
  });
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
