/** `.ibatch.yaml` in the current directory: settings of a project that would be typed on every command. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { Checker } from "../config/checker.js";
import { ConfigSource, readConfigFile } from "../config/config-source.js";
import { sha256 } from "../record/hash.js";
import { readTrusted } from "../record/trusted-files.js";
import { PROJECT_FILE } from "./project-file-name.js";

const settings = z.strictObject({
  data: z.string().optional(),
  python: z.string().optional(),
  pythonPath: z.array(z.string()).optional(),
  allowImport: z.array(z.string()).optional(),
});
type Settings = z.infer<typeof settings>;

export interface ProjectFile {
  readonly path: string;
  readonly settings: Settings;
  readonly sha256: string;
}

/** What decides which code runs. A file that came with somebody's repository must not say that by itself. */
const RUNS_CODE: readonly (keyof Settings)[] = ["python", "pythonPath", "allowImport"];

/** Undefined where there is none. @throws IbatchError when it cannot be used. */
export function readProjectFile(): ProjectFile | undefined {
  if (!existsSync(PROJECT_FILE)) return undefined;
  const text = readConfigFile(PROJECT_FILE);
  const source = ConfigSource.parse(text, PROJECT_FILE);
  const checker = new Checker((path) => `${source.where(path)}: ${path.join(".")}`);
  return {
    path: resolve(PROJECT_FILE),
    settings: checker.parse(settings, source.value),
    sha256: sha256(Buffer.from(text)),
  };
}

export interface Typed {
  /** The command's options by name; undefined where the command line does not say. */
  readonly given: Readonly<Record<string, unknown>>;
  /** Names of the options that the command has. */
  readonly known: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The settings of the file that a command takes, and those that it would take of a trusted one. */
export function takenSettings(file: ProjectFile, typed: Typed): { taken: Settings; untrusted: Settings } {
  const isTrusted = readTrusted()[file.path] === file.sha256;
  const wanted = Object.entries(file.settings).filter(([key]) => isWanted(key, typed));
  const needsTrust = ([key]: [string, unknown]) => !isTrusted && RUNS_CODE.some((name) => name === key);
  return {
    taken: Object.fromEntries(wanted.filter((entry) => !needsTrust(entry))),
    untrusted: Object.fromEntries(wanted.filter(needsTrust)),
  };
}

/** The command line comes first, then the environment, then the file. */
function isWanted(key: string, { given, known, environment }: Typed): boolean {
  if (!known.includes(key) || given[key] !== undefined) return false;
  if (key === "data") return !environment.IBATCH_DATA;
  return given.backend === undefined && !(key === "python" && environment.IBATCH_PYTHON);
}

/** Options as a command line has them. */
export const asOptions = ({ data, python, pythonPath = [], allowImport = [] }: Settings): string[] => [
  ...(data === undefined ? [] : [`--data ${data}`]),
  ...(python === undefined ? [] : [`--python ${python}`]),
  ...pythonPath.map((directory) => `--python-path ${directory}`),
  ...allowImport.map((module) => `--allow-import ${module}`),
];
