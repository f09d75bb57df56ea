/** The three things that `ibatch order` does, and which options say something about each. */
import { usageError } from "../errors.js";
import { readOptions } from "./command.js";
import { isOrder } from "./named-order.js";
import { type OrderOptions, orderCommand } from "./order-command.js";

interface Mode {
  /** Options that mean nothing here. */
  isMeaningless(option: string): boolean;
  /** Stands behind "means nothing". */
  readonly what: string;
}

const isNoneOf = (options: readonly string[]) => (option: string) => !options.includes(option);
const isOneOf = (options: readonly string[]) => (option: string) => options.includes(option);

const CHECK: Mode = {
  isMeaningless: isNoneOf(["check", "set", "seconds"]),
  what: "with --check, which tries the order on cases of its own",
};
const SHOW: Mode = { isMeaningless: isOneOf(["seeds"]), what: "without --quality" };
const JUDGE_ORDER: Mode = { isMeaningless: isOneOf(["batches"]), what: "with --quality, which shows no batches" };
const JUDGE_FILES: Mode = {
  isMeaningless: isOneOf(["set", "classes", "epochs", "seed", "losses", "seconds", "batches"]),
  what: "with --quality of a file, which holds all indices",
};

function modeOf(name: string, { check, quality }: OrderOptions): Mode {
  if (check) return CHECK;
  if (!quality) return SHOW;
  return isOrder(name) ? JUDGE_ORDER : JUDGE_FILES;
}

/** @throws IbatchError */
export function refuseMeaningless(names: readonly string[], options: OrderOptions): void {
  const mode = modeOf(names[0], options);
  const defaults: Readonly<Record<string, unknown>> = readOptions(orderCommand.options, {});
  const meaningless = Object.entries(options).find(
    ([option, value]) => mode.isMeaningless(option) && !isEqual(value, defaults[option]),
  );
  if (meaningless !== undefined) throw usageError(`--${meaningless[0]} means nothing ${mode.what}`);
  if (names.length > 1 && mode !== JUDGE_FILES) {
    throw usageError(`${names.join(", ")}: expected one order; several files are judged with --quality, one a seed`);
  }
}

/** Also of arrays that hold nothing. */
const isEqual = (value: unknown, other: unknown): boolean => JSON.stringify(value) === JSON.stringify(other);
