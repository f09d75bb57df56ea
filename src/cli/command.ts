/** A command declared once: its zod schema gives checks, types, commander's options and the help. */
import { type Command, Option, type OutputConfiguration } from "commander";
import { z } from "zod";
import { usageError } from "../errors.js";
import { sentence } from "../schema-mistake.js";
import { asCalled, exampleAsCalled } from "./called.js";
import { withProjectFile } from "./project.js";

/** A command without its code, which is loaded when it runs: `--help` needs none of it. */
export interface CommandDefinition<Shape extends z.ZodRawShape> {
  readonly name: string;
  readonly summary: string;
  /** Positional arguments as commander writes them, in order. */
  readonly arguments: readonly { readonly syntax: string; readonly help: string }[];
  /** Each option with `.describe()`; its placeholder in `.meta({ placeholder })`. */
  readonly options: z.ZodObject<Shape>;
  readonly examples: readonly string[];
}

/** Adds the command to the program; `run` gets its checked arguments and options. */
export function addCommand<Shape extends z.ZodRawShape>(
  program: Command,
  definition: CommandDefinition<Shape>,
  run: (args: readonly string[], options: z.infer<z.ZodObject<Shape>>) => Promise<void>,
): void {
  const command = program.command(definition.name).description(definition.summary);
  command.configureOutput(inOneLine(`ibatch ${definition.name}`));
  for (const { syntax, help } of definition.arguments) command.argument(syntax, help);
  for (const [key, schema] of Object.entries(definition.options.shape)) command.addOption(toOption(key, schema));
  const examples = definition.examples.map((example) => `  ${exampleAsCalled(example)}`).join("\n");
  command.addHelpText("after", `\nExamples:\n${examples}`);
  command.action(async (...received: unknown[]) => {
    const given = await withProjectFile(command.opts(), Object.keys(definition.options.shape));
    const parsed = definition.options.safeParse(given, { error: sentence });
    if (!parsed.success) throw optionError(parsed.error, given);
    const args = received
      .slice(0, definition.arguments.length)
      .flat()
      .filter((value) => typeof value === "string");
    await run(args, parsed.data);
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

function toOption(key: string, schema: unknown): Option {
  if (!(schema instanceof z.ZodType)) throw new Error(`option ${key} has no zod schema`);
  const { description = "", placeholder } = schema.meta() ?? {};
  const inner = innermost(schema);
  const flag = `--${kebabCase(key)}`;
  const value = typeof placeholder === "string" ? placeholder : "value";
  if (inner instanceof z.ZodBoolean) return new Option(flag, description);
  if (inner instanceof z.ZodArray) {
    return new Option(`${flag} <${value}>`, description).argParser((text: string, before: string[] | undefined) => [
      ...(before ?? []),
      text,
    ]);
  }
  const option = new Option(`${flag} <${value}>`, description);
  return inner instanceof z.ZodEnum ? option.choices(inner.options.map(String)) : option;
}

function innermost(schema: z.ZodType): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) {
    const inner = schema.unwrap();
    return inner instanceof z.ZodType ? innermost(inner) : inner;
  }
  return schema;
}

function optionError(error: z.ZodError, given: Record<string, unknown>): Error {
  const [issue] = error.issues;
  const key = String(issue.path[0]);
  const option = `--${kebabCase(key)}`;
  if (given[key] === undefined) return usageError(`${option} is missing: ${issue.message}`);
  return usageError(`${option}: ${issue.message}, not ${JSON.stringify(given[key])}`);
}

const kebabCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
