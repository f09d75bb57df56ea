/** What a schema's check found, as a person would say it: "expected at least 1". For zod's `error` option. */
import type { z } from "zod";

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

/** The sentence of an issue; a schema's own sentence goes before it. */
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
export function firstIssue(error: { issues: readonly z.core.$ZodIssue[] }): z.core.$ZodIssue {
  const [issue] = error.issues;
  if (issue.code !== "invalid_union") return issue;
  const meant = issue.errors.filter(([first]) => first.path.length > 0 || !isOfAnotherType(first));
  if (meant.length !== 1) return issue;
  const inner = firstIssue({ issues: meant[0] });
  return { ...inner, path: [...issue.path, ...inner.path] };
}

const isOfAnotherType = ({ code }: z.core.$ZodIssue): boolean => code === "invalid_type" || code === "invalid_value";
