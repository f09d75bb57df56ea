/** Runs schemas and turns the first mistake into a line with its place. */
import { z } from "zod";
import type { CatalogueEntry, CatalogueOption } from "../backend/messages.js";
import { type IbatchError, usageError } from "../errors.js";
import { exactJson } from "../exact-json.js";
import { nearest, unknownName } from "../nearest.js";
import type { Path } from "./config-source.js";
import { firstIssue, sentence } from "./sentences.js";

/** A name with its options. */
export interface Chosen {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** What is wrong, and where in the value. */
export interface Mistake {
  readonly path: Path;
  readonly what: string;
}

/** The value as the schema completes it, or its first mistake. `known`: keys that stand beside the schema's own. */
export function parsedBy<Output>(
  schema: z.ZodType<Output>,
  value: unknown,
  known?: readonly string[],
): { readonly data: Output } | { readonly mistake: Mistake } {
  const result = schema.safeParse(value, { error: sentence });
  if (result.success) return { data: result.data };
  const issue = firstIssue(result.error);
  const path = issue.path.map((key) => (typeof key === "symbol" ? String(key) : key));
  if (issue.code === "unrecognized_keys") {
    const [key] = issue.keys;
    const here = knownKeys(schema, issue.path);
    const what = unknownKey(key, issue.path.length === 0 ? (known ?? here) : here);
    return { mistake: { path: [...path, key], what } };
  }
  const seen = valueAt(value, issue.path);
  const what = seen === undefined ? `is missing: ${issue.message}` : `${issue.message}, not ${shown(seen)}`;
  return { mistake: { path, what } };
}

/** Where a part of what is checked stands, and its name, for a person. */
export type Locate = (path: Path) => string;

export class Checker {
  readonly #locate: Locate;

  constructor(locate: Locate) {
    this.#locate = locate;
  }

  parse<Output>(
    schema: z.ZodType<Output>,
    value: unknown,
    { at = [], known }: { at?: Path; known?: readonly string[] } = {},
  ): Output {
    const parsed = parsedBy(schema, value, known);
    if ("mistake" in parsed) throw this.mistake([...at, ...parsed.mistake.path], parsed.mistake.what);
    return parsed.data;
  }

  find<Entry extends { readonly name: string }>(key: string, table: readonly Entry[], name: string): Entry {
    const entry = table.find((candidate) => candidate.name === name);
    if (entry !== undefined) return entry;
    throw this.mistake([key], unknownName(key, table, name));
  }

  /** Checks a choice against what the backend declares, and fills in its defaults. `beside`: keys that are ours. */
  catalogued(key: string, entries: readonly CatalogueEntry[], chosen: Chosen, beside: readonly string[]): Chosen {
    const { options: declared } = this.find(key, entries, chosen.name);
    const options: Record<string, unknown> = {};
    for (const [name, option] of Object.entries(declared)) {
      const value = Object.hasOwn(chosen.options, name) ? chosen.options[name] : option.default;
      const wrong = wrongOption(option, value);
      if (wrong !== undefined) throw this.mistake([key, name], `${wrong}, not ${shown(value)}`);
      options[name] = value;
    }
    const unknown = Object.keys(chosen.options).find((name) => !Object.hasOwn(declared, name));
    if (unknown !== undefined) {
      throw this.mistake([key, unknown], unknownKey(unknown, ["name", ...beside, ...Object.keys(declared)]));
    }
    return { name: chosen.name, options };
  }

  mistake(path: Path, what: string): IbatchError {
    return usageError(`${this.#locate(path)}: ${what}`);
  }
}

function unknownKey(key: string, known: readonly string[]): string {
  if (known.length === 0) return "unknown key; there are no options here";
  const near = nearest(key, known);
  return near === undefined ? `unknown key; known: ${known.join(", ")}` : `unknown key; did you mean \`${near}\`?`;
}

/** A value as the config writes it; JSON alone would show infinities and NaN as null. */
const shown = (value: unknown): string => exactJson(value, { nonFinite: "bare" });

/** What is wrong with an option's value, by the backend's declaration; undefined when nothing is. */
function wrongOption(option: CatalogueOption, value: unknown): string | undefined {
  const { type, choices, minimum, maximum } = option;
  if (choices !== null && !choices.includes(value)) return `expected one of ${choices.join(", ")}`;
  const fits = {
    int: Number.isInteger(value),
    float: typeof value === "number" && Number.isFinite(value),
    bool: typeof value === "boolean",
    str: typeof value === "string",
  };
  if (!fits[type])
    return `expected ${{ int: "an integer", float: "a number", bool: "true or false", str: "a text" }[type]}`;
  if (typeof value !== "number") return undefined;
  if (minimum !== null && value < minimum) return `expected at least ${minimum}`;
  if (maximum !== null && value > maximum) return `expected at most ${maximum}`;
  return undefined;
}

/** The keys of the object at this path of a schema. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let at: unknown = schema;
  for (const key of path) {
    const unwrapped = unwrap(at);
    at = unwrapped instanceof z.ZodObject && typeof key === "string" ? unwrapped.shape[key] : undefined;
  }
  const found = unwrap(at);
  return found instanceof z.ZodObject ? Object.keys(found.shape) : [];
}

function unwrap(schema: unknown): unknown {
  const isWrapper =
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable;
  return isWrapper ? unwrap(schema.unwrap()) : schema;
}

export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== "object" || at === null) return undefined;
    at = Reflect.get(at, key);
  }
  return at;
}
