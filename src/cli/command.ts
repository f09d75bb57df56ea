/** A command declared once: its options give checks, types, commander's options and the help. */
import { type Command, Option, type OutputConfiguration } from "commander";
import { usageError } from "../errors.js";
import { asCalled, exampleAsCalled } from "./called.js";
import type { CommandOption, OptionsFor } from "./command-option.js";
import { withProjectFile } from "./project.js";

/** A command. Its file imports next to nothing, since `--help` shows it: its work is imported when it is called. */
export interface CommandDefinition<Values extends object> {
  readonly name: string;
  readonly summary: string;
  /** Positional arguments as commander writes them, in order. */
  readonly arguments: readonly { readonly syntax: string; readonly help: string }[];
  readonly options: OptionsFor<Values>;
  readonly examples: readonly string[];
  /** Does it. Resolves to the exit code. */
  readonly run: (args: readonly string[], options: Values, signal: AbortSignal) => Promise<number>;
}

export interface Calling {
  readonly signal: AbortSignal;
  /** Is told the exit code of the command that was called. */
  readonly outcome: (code: number) => void;
}

export function addCommand<Values extends object>(
  program: Command,
  definition: CommandDefinition<Values>,
  { signal, outcome }: Calling,
): void {
  const { options } = definition;
  const command = program.command(definition.name).description(definition.summary);
  command.configureOutput(inOneLine(`ibatch ${definition.name}`));
  for (const { syntax, help } of definition.arguments) command.argument(syntax, help);
  for (const name of namesOf(options)) command.addOption(toOption(name, options[name]));
  const examples = definition.examples.map((example) => `  ${exampleAsCalled(example)}`).join("\n");
  command.addHelpText("after", `\nExamples:\n${examples}`);
  command.action(async (...received: unknown[]) => {
    const typed = await withProjectFile(command.opts(), namesOf(options));
    const args = received
      .slice(0, definition.arguments.length)
      .flat()
      .filter((value) => typeof value === "string");
    outcome(await definition.run(args, readOptions(options, typed), signal));
  });
}

/** What commander finds wrong, with what to do: it would take three lines for that. */
export const inOneLine = (command: string): OutputConfiguration => ({
  outputError: (text, write) => {
    const what = text
      .trim()
      .replace(/^error: |\.$/g, "")
      .replace(/\s*\n\(Did you mean (.*)\?\)$/s, "; did you mean $1?");
    write(asCalled(`ibatch: ${what}${what.endsWith("?") ? "" : `; \`${command} --help\` shows what there is`}\n`));
  },
});

/** The value of each option, of what was typed by its name. @throws IbatchError where one cannot be read. */
export function readOptions<Values extends object>(
  options: OptionsFor<Values>,
  typed: Readonly<Record<string, unknown>>,
): Values {
  const values: Partial<Values> = {};
  for (const name of namesOf(options)) values[name] = readOption(name, options[name], typed[name]);
  return values as Values; // each of them was read
}

function readOption<Value>(name: string, option: CommandOption<Value>, typed: unknown): Value {
  const read = option.read(typed);
  if ("value" in read) return read.value;
  const flag = `--${kebabCase(name)}`;
  if (typed === undefined) throw usageError(`${flag} is missing: ${read.expected}`);
  throw usageError(`${flag}: ${read.expected}, not ${JSON.stringify(typed)}`);
}

const namesOf = <Values extends object>(options: OptionsFor<Values>) =>
  Object.keys(options) as Extract<keyof Values, string>[]; // it is an object of nothing but options

function toOption(name: string, { help, placeholder, isList }: CommandOption<unknown>): Option {
  const flag = `--${kebabCase(name)}`;
  const option = new Option(placeholder === undefined ? flag : `${flag} <${placeholder}>`, help);
  return isList ? option.argParser((text: string, before: string[] | undefined) => [...(before ?? []), text]) : option;
}

const kebabCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
