/** A config's text with `--set` applied, and where each of its parts stands. */
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { asError, usageError } from "../errors.js";
import { isRecord, plainNumbers } from "../exact-json.js";
import { ORDER_ORIGINS } from "../orders/ledger-options.js";
import { readUpTo } from "../record/bounded-file.js";
import { type Path, valueAt } from "../schema-mistake.js";
import { LENGTHS } from "./merge-arm.js";
import { applySetting, type Setting } from "./setting.js";
import { readYaml, YamlFault } from "./yaml.js";

export type { Setting };

/** The largest config of ours has 6 kB. */
const MAX_CONFIG_BYTES = 2 ** 20;

export class ConfigSource {
  /** The folder that paths in the config are relative to: its own. */
  readonly directory: string;
  readonly #value: Record<string, unknown>;
  readonly #where: (path: Path) => string;

  private constructor(name: string, value: Record<string, unknown>, where: (path: Path) => string) {
    this.directory = dirname(name);
    this.#value = value;
    this.#where = where;
  }

  /**
   * Reads a YAML file.
   * @throws IbatchError when it is not there, is too large, is no YAML, or is no map.
   */
  static read(path: string, settings: readonly Setting[] = []): ConfigSource {
    return ConfigSource.parse(readConfigFile(path), path, settings);
  }

  /** As `read`, for a text; `name`, the path it would have, stands in messages. */
  static parse(text: string, name: string, settings: readonly Setting[] = []): ConfigSource {
    const { value, lineOf } = parsed(text, name);
    if (!isRecord(value)) throw usageError(`${name}: expected a map (name, dataset, model, …)`);
    const set = settings.map((setting) => ({ ...setting, path: applySetting(value, setting) }));
    replaceOthers(
      value,
      set.map(({ path }) => path),
    );
    const where = (path: Path): string => {
      const setting = set.findLast(
        (entry) => startsWith(path, entry.path) || startsWith(entry.path, [...path, "name"]) || says(entry.path, path),
      );
      if (setting !== undefined) return setting.said;
      const line = lineOf(path);
      return line === undefined ? name : `${name}:${line}`;
    };
    return new ConfigSource(name, settledEntries(value, [], where), where);
  }

  /** A config that a program holds as a value, as `read` would give it; paths in it are relative to the current directory. */
  static of(value: Readonly<Record<string, unknown>>): ConfigSource {
    return new ConfigSource("config", structuredClone(value), () => "config");
  }

  get value(): Readonly<Record<string, unknown>> {
    return this.#value;
  }

  /** `file:line` of this part, or the `--set` that made it, or that gave the section its name. */
  where(path: Path): string {
    return this.#where(path);
  }
}

/** Keys of which one alone says what is meant, by the section that they stand in; in an arm's sections, too. */
const ONE_OF: readonly { readonly within: Path; readonly keys: readonly string[] }[] = [
  { within: [], keys: LENGTHS },
  { within: ["budget"], keys: ["epochs", "updates", "samples", "forwardEquivalents"] },
  { within: ["order"], keys: ORDER_ORIGINS },
  { within: ["model"], keys: ["name", "reference"] },
  { within: ["dataset"], keys: ["name", "reference"] },
  { within: ["evaluation", "averaged"], keys: ["last", "decay"] },
  { within: ["backend"], keys: ["device", "devices"] },
];

/**
 * What the command line says replaces what the file has in place of it: a length one of the other kind, as an arm's
 * replaces the common one; an order's file its name. Null takes away.
 */
function replaceOthers(value: Record<string, unknown>, set: readonly Path[]): void {
  for (const path of set) {
    for (const { within, keys } of ONE_OF) {
      const section = [...armOf(path), ...within];
      const key = path[section.length];
      const at = valueAt(value, section);
      if (!startsWith(path, section) || typeof key !== "string" || !keys.includes(key) || !isRecord(at)) continue;
      if (at[key] === null) {
        delete at[key];
        continue;
      }
      for (const other of keys) {
        if (other !== key && !set.some((said) => startsWith(said, [...section, other]))) delete at[other];
      }
    }
  }
}

const armOf = (path: Path): Path => (path[0] === "arms" ? path.slice(0, 2) : []);

/** Whether the setting is one of those that say what the section at `path` is. */
const says = (setting: Path, path: Path): boolean =>
  ONE_OF.some(({ within, keys }) => {
    const section = [...armOf(path), ...within];
    return (
      within.length > 0 && isDeepStrictEqual(section, path) && keys.some((key) => startsWith(setting, [...path, key]))
    );
  });

function parsed(text: string, name: string): ReturnType<typeof readYaml> {
  try {
    return readYaml(text);
  } catch (error) {
    if (!(error instanceof YamlFault)) throw error;
    throw usageError(`${name}${error.line === undefined ? "" : `:${error.line}`}: ${error.message}`);
  }
}

/** The text of a config, or of what is read like one. @throws IbatchError when it is not there, or is too large. */
export function readConfigFile(path: string): string {
  try {
    const bytes = readUpTo(path, MAX_CONFIG_BYTES);
    if (bytes !== undefined) return bytes.toString("utf8");
  } catch (error) {
    throw usageError(`config ${path} cannot be read: ${whyUnreadable(error)}`);
  }
  throw usageError(
    `config ${path} has more than ${MAX_CONFIG_BYTES / 2 ** 20} MiB: expected the YAML of an experiment`,
  );
}

function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EISDIR") return "it is a directory; name a YAML file in it";
  return asError(error).message;
}

/** Plain numbers, but for the arguments of a callable of the user's, which travel as they are written. */
function settled(value: unknown, path: Path, where: (path: Path) => string): unknown {
  if (typeof value === "string" && /\$\{/.test(value)) {
    throw usageError(
      `${where(path)}: ${path.join(".")}: nothing is put in for \${…}: write out what is meant in ${value}`,
    );
  }
  if (Array.isArray(value)) return value.map((inner, at) => settled(inner, [...path, at], where));
  if (!isRecord(value)) return plainNumbers(value);
  if (isArguments(path)) return value;
  return settledEntries(value, path, where);
}

const settledEntries = (
  value: Readonly<Record<string, unknown>>,
  path: Path,
  where: (path: Path) => string,
): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, settled(inner, [...path, key], where)]));

/** Whether `args` or `testArgs` of a reference stand here. */
function isArguments(path: Path): boolean {
  const [section, key, ...deeper] = path[0] === "arms" ? path.slice(2) : path;
  return (
    ["dataset", "model", "loss"].includes(String(section)) && /^(args|testArgs)$/.test(String(key)) && !deeper.length
  );
}

const startsWith = (path: Path, prefix: Path): boolean => prefix.every((key, at) => path[at] === key);
