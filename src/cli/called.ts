/** How this command was called, the one place that knows: lines that are to be copied run as they are. */
import { basename, dirname, relative } from "node:path";
import { packageRoot } from "../package-root.js";
import { quoted } from "../process/shell-words.js";

export interface Call {
  /** The file that Node was given. */
  readonly script: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
}

/** npm says by `npm_command` what it was asked for; these are called by a person, and `npx` works where they do. */
const CALLED_BY_NPM = ["exec", "start", "run-script", "run"];

/** What stands for `ibatch`. A program that imports this package has no command of its own to be given again. */
export function nameOfCall({ script = "", environment, directory }: Call): string {
  if (environment.IBATCH_CALLED_AS) return quoted(environment.IBATCH_CALLED_AS); // the program of a packed archive
  const isEntry = basename(script) === "main.js" && basename(dirname(script)) === "cli";
  if (basename(script) !== "ibatch" && !isEntry) return "ibatch";
  const isLocal = basename(dirname(script)) === ".bin" || (isEntry && directory === packageRoot);
  if (isLocal || CALLED_BY_NPM.includes(environment.npm_command ?? "")) return "npx ibatch";
  return isEntry ? `node ${quoted(relative(directory, script))}` : "ibatch";
}

const here = (): string => nameOfCall({ script: process.argv[1], environment: process.env, directory: process.cwd() });

/** This command, to be given again. */
export const thisCall = (): string => [here(), ...process.argv.slice(2).map(quoted)].join(" ");

/** What is said of other commands: `ibatch list`, in backticks. */
export const asCalled = (text: string): string => text.replaceAll(/`ibatch (?=[a-z-])/g, () => `\`${here()} `);

/** A line of ours that gives a command; one on record is already as it was called. */
export const exampleAsCalled = (line: string): string => line.replace(/(?<=^|\s)ibatch (?=[a-z])/, () => `${here()} `);
