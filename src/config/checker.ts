/** Runs schemas and turns the first mistake into a line with its place. */
import type { z } from "zod";
import type { CatalogueEntry, CatalogueOption } from "../backend/messages.js";
import { type IbatchError, usageError } from "../errors.js";
import { unknownName } from "../nearest.js";
import { type Path, parsedBy, shown, unknownKey } from "../schema-mistake.js";

/** A name with its options. */
export interface Chosen {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
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
    const unknown = unknownName(key, table, name);
    throw this.mistake([key], `${unknown[0].toLowerCase()}${unknown.slice(1)}`);
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
