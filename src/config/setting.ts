/** `--set a.b=c`: a part of the config that the command line sets. */
import { type IbatchError, usageError } from "../errors.js";
import { exactJson, isRecord } from "../exact-json.js";
import { hintOf } from "../nearest.js";
import type { Path } from "../schema-mistake.js";
import { spellNamed } from "./named-section.js";
import { readYaml, YamlFault } from "./yaml.js";

export interface Setting {
  /** As the user wrote it, for messages: `--set a.b=c`. */
  readonly said: string;
  /** `a.b=c`; c is YAML. */
  readonly assignment: string;
}

/**
 * Applies `a.b=c` to the value, making maps on the way. Returns the path.
 * @throws IbatchError where the path or the value cannot be read, or something that is no map is in the way.
 */
export function applySetting(value: Record<string, unknown>, { said, assignment }: Setting): Path {
  const equals = assignment.indexOf("=");
  const words = assignment.slice(0, equals).split(".");
  if (equals < 1 || words.some((key) => key === "" || key === "__proto__")) {
    throw usageError(`${said}: expected a.b=value, for instance --set dataset.subset=1000`);
  }
  const path: string[] = [];
  let at = value;
  while (true) {
    const key = nextKey(at, words);
    path.push(key);
    words.splice(0, key.split(".").length);
    if (words.length === 0) {
      at[key] = parseValue(said, assignment.slice(equals + 1));
      return path;
    }
    const inner = at[key];
    if (path.length === 2 && path[0] === "arms" && !Object.hasOwn(at, key)) throw noSuchArm(said, key, at);
    const next = spellNamed(key, inner ?? {});
    if (!isRecord(next)) throw usageError(`${said}: ${key} is ${exactJson(inner, { nonFinite: "bare" })}, not a map`);
    at[key] = next;
    at = next;
  }
}

/** A new arm is set as a whole; below the name of none there is most likely a slip. */
function noSuchArm(said: string, arm: string, arms: Readonly<Record<string, unknown>>): IbatchError {
  return usageError(`${said}: no arm "${arm}"; ${hintOf(arm, Object.keys(arms))} (a new one: --set arms.${arm}={…})`);
}

/** The first word, or as many as make the longest key that is there: an arm's name may hold dots. */
function nextKey(map: Readonly<Record<string, unknown>>, words: readonly string[]): string {
  for (let count = words.length; count > 1; count--) {
    const key = words.slice(0, count).join(".");
    if (Object.hasOwn(map, key)) return key;
  }
  return words[0];
}

/** The YAML after `=`, its numbers as they are written. `said`: the whole setting as the user wrote it. */
export function parseValue(said: string, text: string): unknown {
  try {
    return readYaml(text).value;
  } catch (error) {
    if (!(error instanceof YamlFault)) throw error;
    throw usageError(`${said}: the value is no YAML: ${error.message}`);
  }
}
