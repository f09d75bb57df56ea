/** An option of a command, declared once. No schema library: `--help` would wait for it to load. */

/** What was typed, as commander collects it; undefined where nothing was. */
export type Typed = unknown;

/** The value; or what was expected in its place. */
export type Read<Value> = { readonly value: Value } | { readonly expected: string };

export interface CommandOption<Value> {
  readonly help: string;
  /** Stands for its value in the help; one without is there or not. */
  readonly placeholder?: string;
  /** Whether each one that is typed adds to a list. */
  readonly isList?: boolean;
  read(typed: Typed): Read<Value>;
}

/** What its options give a command. */
export type ValuesOf<Options> = {
  readonly [Name in keyof Options]: Options[Name] extends CommandOption<infer Value> ? Value : never;
};

/** The options that give these values. */
export type OptionsFor<Values> = { readonly [Name in keyof Values]: CommandOption<Values[Name]> };

export const flag = (help: string): CommandOption<boolean> => ({ help, read: (typed) => ({ value: typed === true }) });

/** What a text must look like, and how that is told. */
interface Form {
  readonly pattern: RegExp;
  readonly expected: string;
}

export function text(placeholder: string, help: string, form?: Form): CommandOption<string | undefined> {
  return {
    ...{ help, placeholder },
    read(typed) {
      if (typed === undefined) return { value: undefined };
      return typeof typed === "string" ? formed(typed, form) : { expected: "expected a text" };
    },
  };
}

/** A text that must be typed: what is to be done where it is not. */
export function neededText(placeholder: string, help: string, toDo: string): CommandOption<string> {
  return {
    ...{ help, placeholder },
    read: (typed) => (typeof typed === "string" ? { value: typed } : { expected: toDo }),
  };
}

export function texts(placeholder: string, help: string, form?: Form): CommandOption<readonly string[]> {
  return {
    ...{ help, placeholder, isList: true },
    read(typed = []) {
      if (!isTexts(typed)) return { expected: "expected a list" };
      return typed.map((one) => formed(one, form)).find((one) => "expected" in one) ?? { value: typed };
    },
  };
}

/** As `texts`; undefined where none is typed. */
export function textsOrNone(placeholder: string, help: string): CommandOption<readonly string[] | undefined> {
  const list = texts(placeholder, help);
  return { ...list, read: (typed) => (typed === undefined ? { value: undefined } : list.read(typed)) };
}

const isTexts = (typed: Typed): typed is readonly string[] =>
  Array.isArray(typed) && typed.every((one) => typeof one === "string");

const formed = (value: string, form?: Form): Read<never> | { readonly value: string } =>
  form === undefined || form.pattern.test(value) ? { value } : { expected: form.expected };

interface Range {
  readonly least?: number;
  readonly moreThan?: number;
  readonly most: number;
}

/** A number; `fallback` where none is typed. */
export function number<Fallback extends number | undefined>(
  placeholder: string,
  help: string,
  { fallback, ...range }: Range & { readonly fallback: Fallback },
): CommandOption<number | Fallback> {
  return {
    ...{ help, placeholder },
    read(typed) {
      if (typed === undefined) return { value: fallback };
      const value = numberOf(typed);
      const expected = Number.isFinite(value) ? outside(value, range) : "expected a number";
      return expected === undefined ? { value } : { expected };
    },
  };
}

/** As `number`, whole. */
export function integer<Fallback extends number | undefined>(
  placeholder: string,
  help: string,
  range: Range & { readonly fallback: Fallback },
): CommandOption<number | Fallback> {
  const any = number(placeholder, help, range);
  return {
    ...any,
    read(typed) {
      const value = numberOf(typed);
      return Number.isFinite(value) && !Number.isInteger(value) ? { expected: "expected an integer" } : any.read(typed);
    },
  };
}

/** NaN also of nothing but space, which JavaScript takes for 0. */
const numberOf = (typed: Typed): number =>
  typeof typed === "string" && typed.trim() !== "" ? Number(typed) : Number.NaN;

function outside(value: number, { least, moreThan, most }: Range): string | undefined {
  if (least !== undefined && value < least) return `expected at least ${least}`;
  if (moreThan !== undefined && value <= moreThan) return `expected more than ${moreThan}`;
  return value > most ? `expected at most ${most}` : undefined;
}
