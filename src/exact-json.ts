/** JSON that keeps what JavaScript's own loses: 1.0 apart from 1, integers of any size, NaN and infinities. */

/** A float whose value is whole: YAML and Python tell 1.0 from 1, a JavaScript number does not. */
export class WholeFloat {
  constructor(readonly value: number) {}

  toString(): string {
    return Object.is(this.value, -0) ? "-0.0" : /^-?\d+$/.test(`${this.value}`) ? `${this.value}.0` : `${this.value}`;
  }
}

/** Whether a value is a map. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof WholeFloat);

/** The value with JavaScript's own numbers alone: 1.0 is 1, large integers are rounded. */
export function plainNumbers(value: unknown): unknown {
  if (value instanceof WholeFloat) return value.value;
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plainNumbers);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plainNumbers(inner)]));
}

export interface ExactJsonOptions {
  /** Keys in sequence, so that equal values give equal texts. */
  readonly sorted?: boolean;
  /** Spaces a level; 0: all on one line. */
  readonly indent?: number;
  /**
   * `bare` writes NaN, Infinity and -Infinity as Python's json does, and reads back; `quoted` writes them as strings,
   * which every reader of JSON takes.
   */
  readonly nonFinite: "bare" | "quoted";
}

/** As JSON.stringify: entries without a value are left out, in lists they are null. */
export function exactJson(value: unknown, options: ExactJsonOptions): string {
  return written(value, options, "\n") ?? "null";
}

/** `lineEnd`: a newline and the spaces of this level. */
function written(value: unknown, options: ExactJsonOptions, lineEnd: string): string | undefined {
  if (typeof value === "number") return writtenNumber(value, options);
  if (typeof value === "bigint" || value instanceof WholeFloat) return value.toString();
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const deeper = lineEnd + " ".repeat(options.indent ?? 0);
  if (Array.isArray(value)) {
    return enclosed(
      "[]",
      value.map((inner) => written(inner, options, deeper) ?? "null"),
      options,
      lineEnd,
    );
  }
  if ("toJSON" in value && typeof value.toJSON === "function") return written(value.toJSON(), options, lineEnd);
  const colon = options.indent ? ": " : ":";
  const entries = Object.entries(options.sorted ? sortKeys(value) : value).flatMap(([key, inner]) => {
    const text = written(inner, options, deeper);
    return text === undefined ? [] : [JSON.stringify(key) + colon + text];
  });
  return enclosed("{}", entries, options, lineEnd);
}

const sortKeys = (value: object): object =>
  Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));

function writtenNumber(value: number, { nonFinite }: ExactJsonOptions): string {
  if (Number.isFinite(value)) return JSON.stringify(value);
  return nonFinite === "bare" ? String(value) : JSON.stringify(String(value));
}

function enclosed(
  brackets: "[]" | "{}",
  parts: readonly string[],
  { indent = 0 }: ExactJsonOptions,
  lineEnd: string,
): string {
  const [open, close] = brackets;
  if (parts.length === 0 || indent === 0) return open + parts.join(",") + close;
  const inner = lineEnd + " ".repeat(indent);
  return `${open}${inner}${parts.join(`,${inner}`)}${lineEnd}${close}`;
}
