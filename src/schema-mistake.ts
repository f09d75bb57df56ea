/** What a schema finds wrong with a value, as a person would say it: "expected at least 1", and where. */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { exactJson } from "./exact-json.js";
import { nearest } from "./nearest.js";

/** Where in a value, as keys and places from the outside in. */
export type Path = readonly (string | number)[];

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
  const expected = `${issue.message}${isOfMap(issue) ? keysOf(knownKeys(schema, issue.path)) : ""}`;
  if (seen === undefined) return { mistake: { path, what: `is missing: ${expected}` } };
  const what = isOfSeveral(issue) ? `${expected}, and not both` : `${expected}, not ${shown(seen)}`;
  return { mistake: { path, what } };
}

export function unknownKey(key: string, known: readonly string[]): string {
  if (known.length === 0) return "unknown key; there are no options here";
  const near = nearest(key, known);
  return near === undefined ? `unknown key; known: ${known.join(", ")}` : `unknown key; did you mean \`${near}\`?`;
}

/** A value as the config writes it; JSON alone would show infinities and NaN as null. */
export const shown = (value: unknown): string => exactJson(value, { nonFinite: "bare" });

/** Of a refinement, as `params`: what is wrong is that two keys are there, and not the value of one. */
export const OF_SEVERAL = { isOfSeveral: true };

const isOfSeveral = (issue: z.core.$ZodIssue): boolean => issue.code === "custom" && issue.params?.isOfSeveral === true;

const isOfMap = (issue: z.core.$ZodIssue): boolean =>
  issue.code === "invalid_type" && issue.expected === "object" && issue.message === `expected ${TYPES.object}`;

/** More of them are a section's, and no help in a line. */
const MOST_KEYS_SHOWN = 6;

const keysOf = (keys: readonly string[]): string =>
  keys.length === 0 || keys.length > MOST_KEYS_SHOWN
    ? ""
    : ` with ${keys.length === 1 ? keys[0] : `some of ${keys.join(", ")}`}`;

/** The keys of the object at this path of a schema; where it may be one of several, of all of them. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let at = objectsOf(schema);
  for (const key of path) {
    at = typeof key === "string" ? at.flatMap(({ shape }) => objectsOf(shape[key])) : [];
  }
  return [...new Set(at.flatMap(({ shape }) => Object.keys(shape)))];
}

function objectsOf(schema: unknown): z.ZodObject[] {
  const unwrapped = unwrap(schema);
  if (unwrapped instanceof z.ZodUnion) return unwrapped.options.flatMap(objectsOf);
  return unwrapped instanceof z.ZodObject ? [unwrapped] : [];
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

/** Types as the sentences call them. */
const TYPES: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "an integer",
  boolean: "true or false",
  array: "a list",
  object: "a map",
  record: "a map",
};

/** The sentence of an issue, for zod's `error` option; a schema's own sentence goes before it. */
export const sentence: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case "invalid_type":
      return `expected ${TYPES[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `expected ${issue.values.length === 1 ? "" : "one of "}${issue.values.join(", ")}`;
    case "too_small":
      return `expected ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}${entries(issue)}`;
    case "too_big":
      return `expected ${issue.inclusive ? "at most" : "less than"} ${issue.maximum}${entries(issue)}`;
    case "invalid_union":
      return issue.errors
        .map(([first]) => first.message)
        .join(", or ")
        .replaceAll("or expected", "or");
    default:
      return undefined;
  }
};

function entries({ origin, minimum, maximum }: { origin: string; minimum?: unknown; maximum?: unknown }): string {
  if (origin !== "array") return "";
  return (minimum ?? maximum) === 1 ? " entry" : " entries";
}

/** The first issue; of a union that of the one form that the value's type fits, where there is such a form. */
function firstIssue(error: { issues: readonly z.core.$ZodIssue[] }): z.core.$ZodIssue {
  const [first] = error.issues;
  const [issue = first] = error.issues.flatMap((other) => slipsFor(first, other));
  if (issue.code !== "invalid_union") return issue;
  const meant = issue.errors.filter(([first]) => first.path.length > 0 || !isOfAnotherType(first));
  if (meant.length !== 1) return issue;
  const inner = firstIssue({ issues: meant[0] });
  return { ...inner, path: [...issue.path, ...inner.path] };
}

/** The issue of the keys that are written wrong, where the right one is missing in the same object for that. */
function slipsFor({ path }: z.core.$ZodIssue, issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== "unrecognized_keys" || path.length === 0) return [];
  if (!isDeepStrictEqual(issue.path, path.slice(0, -1))) return [];
  const keys = issue.keys.filter((key) => nearest(key, [String(path.at(-1))]) !== undefined);
  return keys.length === 0 ? [] : [{ ...issue, keys }];
}

const isOfAnotherType = ({ code }: z.core.$ZodIssue): boolean => code === "invalid_type" || code === "invalid_value";
