/** A config's text with `--set` applied, and where each of its parts stands. */
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { type Document, isMap, isScalar, LineCounter, parse, parseDocument, visit } from "yaml";
import { usageError } from "../errors.js";

export type Path = readonly (string | number)[];

/** The sections whose value may be a name alone: `order: frozen` is short for `order: { name: frozen }`. */
export const NAMED_SECTIONS = ["dataset", "model", "optimizer", "schedule", "batching", "order"] as const;

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
   * @throws IbatchError when it is not there, is no YAML, or is no map.
   */
  static read(path: string, settings: readonly Setting[] = []): ConfigSource {
    let text: string;
    try {
      text = readFileSync(path, "utf8");
    } catch (error) {
      throw usageError(`config ${path} cannot be read: ${whyUnreadable(error)}`);
    }
    return ConfigSource.parse(text, path, settings);
  }

  /** As `read`, for a text; `name`, the path it would have, stands in messages. */
  static parse(text: string, name: string, settings: readonly Setting[] = []): ConfigSource {
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    const [error] = document.errors;
    if (error !== undefined) throw usageError(`${name}:${lines.linePos(error.pos[0]).line}: ${error.message}`);
    const value = toValue(document, (offset) => `${name}:${lines.linePos(offset).line}`);
    if (!isRecord(value)) throw usageError(`${name}: expected a map (name, dataset, model, …)`);
    const set = settings.map((setting) => ({ ...setting, path: applySetting(value, setting) }));
    const where = (path: Path): string => {
      const setting = set.findLast((entry) => startsWith(path, entry.path));
      if (setting !== undefined) return setting.said;
      const offset = offsetOf(document.contents, path);
      return offset === undefined ? name : `${name}:${lines.linePos(offset).line}`;
    };
    return new ConfigSource(name, value, where);
  }

  /** A config that a program holds as a value, as `read` would give it; paths in it are relative to the current directory. */
  static of(value: Readonly<Record<string, unknown>>): ConfigSource {
    return new ConfigSource("config", structuredClone(value), () => "config");
  }

  get value(): Readonly<Record<string, unknown>> {
    return this.#value;
  }

  /** `file:line` of this part, or the `--set` that made it. */
  where(path: Path): string {
    return this.#where(path);
  }
}

/** The document as plain values. `place`: where an offset lies, for messages. */
function toValue(document: Document.Parsed, place: (offset: number) => string): unknown {
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return;
      throw usageError(
        `${place(alias.range?.[0] ?? 0)}: *${alias.source} names no anchor: \`&${alias.source}\` must stand before it`,
      );
    },
  });
  return document.toJS();
}

/** A part of the config that the command line sets. */
export interface Setting {
  /** As the user wrote it, for messages: `--set a.b=c`. */
  readonly said: string;
  /** `a.b=c`; c is YAML. */
  readonly assignment: string;
}

/** Applies `a.b=c` to the value, making maps on the way. Returns the path. */
function applySetting(value: Record<string, unknown>, { said, assignment }: Setting): Path {
  const equals = assignment.indexOf("=");
  const path = assignment.slice(0, equals).split(".");
  if (equals < 1 || path.some((key) => key === "" || key === "__proto__")) {
    throw usageError(`${said}: expected a.b=value, for instance --set dataset.subset=1000`);
  }
  let at = value;
  for (const key of path.slice(0, -1)) {
    const inner = at[key];
    const next = spellNamed(key, inner ?? {});
    if (!isRecord(next)) throw usageError(`${said}: ${key} is ${JSON.stringify(inner)}, not a map`);
    at[key] = next;
    at = next;
  }
  const last = path[path.length - 1];
  at[last] = parseValue(said, assignment.slice(equals + 1));
  return path;
}

/** The YAML after `=`. `said`: the whole setting as the user wrote it. */
export function parseValue(said: string, text: string): unknown {
  try {
    return parse(text, { prettyErrors: false });
  } catch (error) {
    throw usageError(`${said}: the value is no YAML: ${error instanceof Error ? error.message : error}`);
  }
}

function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EISDIR") return "it is a directory; name a YAML file in it";
  return error instanceof Error ? error.message : String(error);
}

/** Where the key of this path stands in the text; that of the nearest one above it where it is not there. */
function offsetOf(contents: unknown, path: Path): number | undefined {
  let node = contents;
  let offset: number | undefined;
  for (const key of path) {
    if (!isMap(node)) break;
    const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key);
    if (pair === undefined) break;
    if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset;
    node = pair.value;
  }
  return offset;
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `order: frozen` spelled out as `order: { name: frozen }`, `order: ./mine.mjs` as `order: { file: ./mine.mjs }`. */
export function spellNamed(key: string, value: unknown): unknown {
  if (!isNamedSection(key) || typeof value !== "string") return value;
  return key === "order" && isFilePath(value) ? { file: value } : { name: value };
}

/** Whether a text names a file, and nothing of ours. */
export const isFilePath = (text: string): boolean => /^\.{0,2}[\\/]|^[A-Za-z]:[\\/]|\.[cm]?[jt]s$/.test(text);

const isNamedSection = (key: string): boolean => NAMED_SECTIONS.some((section) => section === key);

const startsWith = (path: Path, prefix: Path): boolean => prefix.every((key, at) => path[at] === key);
