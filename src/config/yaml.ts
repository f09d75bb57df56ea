/** YAML as values of which no two share a part, with numbers as they are written. */
import {
  type Document,
  type ErrorCode,
  isMap,
  isScalar,
  Lexer,
  LineCounter,
  Parser,
  parseDocument,
  type Scalar,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { WholeFloat } from "../exact-json.js";
import type { Path } from "../schema-mistake.js";

/** What is wrong with a text, and the line of it, from 1 on. */
export class YamlFault extends Error {
  constructor(
    message: string,
    readonly line?: number,
  ) {
    super(message);
  }
}

export interface ReadYaml {
  /** Maps, lists, texts, truth values, null; whole floats as WholeFloat, integers beyond 2^53 as bigint. */
  readonly value: unknown;
  /** The line of this path's key; that of the nearest one above it where it is not there. */
  lineOf(path: Path): number | undefined;
}

/** What one anchor may grow to: its aliases, times those within it. A dozen lines could fill any memory otherwise. */
const MOST_ALIASES = 1000;
const MOST_VALUES = 1_000_000;
const MOST_LEVELS = 100;

/** @throws YamlFault at the first mistake. */
export function readYaml(text: string): ReadYaml {
  const lines = new LineCounter();
  const line = (offset: number): number => lines.linePos(offset).line;
  refuseDeepNesting(text);
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true, uniqueKeys: false });
    const [error] = [...document.errors, ...document.warnings];
    if (error !== undefined) {
      throw new YamlFault(SAID_OF[error.code] ?? error.message, line(error.pos[0]));
    }
    settle(document, line);
    const value = new Unsharing().copy(document.toJS({ maxAliasCount: MOST_ALIASES }));
    return {
      value,
      lineOf: (path) => {
        const offset = offsetOf(document.contents, path);
        return offset === undefined ? undefined : line(offset);
      },
    };
  } catch (error) {
    if (error instanceof YamlFault) throw error;
    if (error instanceof ReferenceError) throw new YamlFault(TOO_LARGE);
    throw error;
  }
}

/** Where the library's words do not say what to do. */
const SAID_OF: Partial<Record<ErrorCode, string>> = {
  MULTIPLE_DOCS: "a second document begins here, and a config is one: put it into a file of its own",
  MULTILINE_IMPLICIT_KEY: "a key goes on over several lines: a colon may be missing after the first word",
};
const TOO_LARGE =
  "its aliases (*name) make more of it than can be read: write out what they stand for, or fewer of them";

/** What composes the document calls itself for each level, and takes the process with it where the stack ends. */
function refuseDeepNesting(text: string): void {
  const parser = new Parser();
  for (const token of new Lexer().lex(text)) {
    Array.from(parser.next(token)); // it moves on only where what it gives is taken
    if (parser.stack.length > MOST_LEVELS) throw new YamlFault(`it is nested deeper than ${MOST_LEVELS} levels`);
  }
}

/** Marks whole floats and large integers; refuses keys that stand twice, and aliases of nothing or of themselves. */
function settle(document: Document.Parsed, line: (offset: number) => number): void {
  const anchors = new Map<string, unknown>();
  const anchored = (node: Scalar | YAMLMap | YAMLSeq) => {
    if (node.anchor !== undefined) anchors.set(node.anchor, node);
  };
  visit(document, {
    Map(_, map) {
      anchored(map);
      const twice = keyThatStandsTwice(map);
      if (twice !== undefined) throw new YamlFault("Map keys must be unique", line(twice.range?.[0] ?? 0));
    },
    Seq: (_, list) => anchored(list),
    Scalar(key, scalar) {
      anchored(scalar);
      if (key !== "key") scalar.value = exactNumber(scalar);
    },
    Alias(_, { source, range }, ancestors) {
      const fault = (what: string) => new YamlFault(`*${source} ${what}`, line(range?.[0] ?? 0));
      if (!anchors.has(source)) throw fault(`names no anchor: \`&${source}\` must stand before it`);
      if (ancestors.some((node) => node === anchors.get(source))) throw fault("stands within what it names");
    },
  });
}

/** The yaml library compares every key with every other, which takes minutes where there are many. */
function keyThatStandsTwice({ items }: YAMLMap): Scalar | undefined {
  const seen = new Set<unknown>();
  for (const { key } of items) {
    if (!isScalar(key)) continue;
    if (seen.has(key.value) && typeof key.value !== "symbol") return key; // of merge keys, symbols, each counts
    seen.add(key.value);
  }
  return undefined;
}

const INTEGER = /^[-+]?\d+$|^0o[0-7]+$|^0x[\da-f]+$/i;

/** The scalar's value; a number that JavaScript's would not tell from another is wrapped. */
function exactNumber({ value, source = "" }: Scalar): unknown {
  if (!Number.isInteger(value) || typeof value !== "number") return value;
  if (!INTEGER.test(source)) return new WholeFloat(value);
  return Number.isSafeInteger(value) ? value : BigInt(source.replace("+", ""));
}

/** Copies maps and lists, so that what an alias stands for is a value of its own. */
class Unsharing {
  #values = 0;

  copy(value: unknown): unknown {
    this.#values += 1;
    if (this.#values > MOST_VALUES) throw new YamlFault(TOO_LARGE);
    if (Array.isArray(value)) return value.map((inner) => this.copy(inner));
    if (typeof value !== "object" || value === null || value instanceof WholeFloat) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, this.copy(inner)]));
  }
}

function offsetOf(contents: unknown, path: Path): number | undefined {
  let node = contents;
  let offset: number | undefined;
  for (const key of path) {
    if (!isMap(node)) break;
    const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key);
    if (pair === undefined) break;
    if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset;
    node = pair.value;
  }
  return offset;
}
