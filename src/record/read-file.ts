/** Reads files that were recorded, and says in words what is wrong with one that cannot be read. */
import { lstatSync, readFileSync, type Stats, statSync } from "node:fs";
import type { z } from "zod";
import { type IbatchError, surroundingsError, usageError } from "../errors.js";

/** The message goes on where a file's name ends: "is missing". */
export class Unreadable extends Error {}

export class Missing extends Unreadable {
  constructor() {
    super("is missing");
  }
}

export class Damaged extends Unreadable {
  constructor(readonly how: string) {
    super(`is damaged (${how})`);
  }
}

/** It may be whole: the system does not let us look at it. */
export class Refused extends Unreadable {}

export const damage = (how: string): Unreadable => new Damaged(how);

/** @throws Unreadable */
export function readBytes(path: string): Buffer {
  return looking(path, () => {
    if (!statSync(path).isFile()) throw damage(statSync(path).isDirectory() ? "it is a directory" : "it is no file");
    return readFileSync(path);
  });
}

/** @throws Unreadable where there is no such file. */
export const sizeOfFile = (path: string): number =>
  looking(path, () => {
    const found = statSync(path);
    if (!found.isFile()) throw damage(found.isDirectory() ? "it is a directory" : "it is no file");
    return found.size;
  });

/** Does what looks at a path. @throws Unreadable where the system refuses. */
export function looking<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    throw refused(path, String(error.code));
  }
}

function refused(path: string, code: string): Missing | Damaged | Refused {
  if (code === "ENOENT" && isLink(path)) return damage("it is a link that leads nowhere");
  if (code === "ENOENT" || code === "ENOTDIR") return new Missing();
  if (code === "EACCES" || code === "EPERM") return new Refused("cannot be read (no permission)");
  if (code === "ELOOP") return damage("it is a link that leads in a circle");
  return new Refused(`cannot be read (${code})`);
}

const isLink = (path: string): boolean => entry(path)?.isSymbolicLink() ?? false;

/**
 * Whether something has that name, a link that leads nowhere included.
 * @throws IbatchError where the system does not say.
 */
export const isThere = (path: string): boolean => entry(path) !== undefined;

const entry = (path: string): Stats | undefined => lookedUp(path, ["ENOENT", "ENOTDIR"], lstatSync);

/**
 * Also of a link to one; false where a link leads nowhere.
 * @throws IbatchError where the system does not say.
 */
export const isDirectory = (path: string): boolean =>
  lookedUp(path, ["ENOENT", "ENOTDIR", "ELOOP"], statSync)?.isDirectory() ?? false;

/** Undefined where the system says with one of these codes that there is nothing. */
function lookedUp(path: string, nothing: readonly string[], look: (path: string) => Stats): Stats | undefined {
  try {
    return look(path);
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    const code = String(error.code);
    if (nothing.includes(code)) return undefined;
    throw notSeen(path, refused(path, code));
  }
}

/** What to tell of a file that cannot be read. `remedy`: what to do where it is missing or damaged. */
export const unreadable = (path: string, why: Unreadable, remedy: string): IbatchError =>
  why instanceof Refused ? notSeen(path, why) : usageError(`${path} ${why.message}: ${remedy}`, { cause: why });

/** Whoever took it for missing or damaged would replace what may be whole. */
export const notSeen = (path: string, cause: Refused): IbatchError =>
  surroundingsError(`${path} ${cause.message}: mend that and give the same command again`, { cause });

/** @throws Unreadable */
export const parseJson = <T>(text: string, schema: z.ZodType<T>): T => fitting(jsonOf(text), schema);

/** @throws Unreadable where the value is none of these. */
export function fitting<T>(value: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw damage(path.length === 0 ? message : `${path.join(".")}: ${message}`);
}

function jsonOf(text: string): unknown {
  if (text.trim() === "") throw damage("it is empty");
  try {
    return JSON.parse(text);
  } catch {
    throw damage("it is no JSON");
  }
}

/** @throws Unreadable */
export const readJson = <T>(path: string, schema: z.ZodType<T>): T =>
  parseJson(readBytes(path).toString("utf8"), schema);

const VALUE_BYTES = 4;

/** The values of four bytes in what was read, in a buffer of their own. @throws Unreadable where they are not whole. */
export function wholeValues(bytes: Uint8Array): ArrayBuffer {
  if (bytes.byteLength % VALUE_BYTES !== 0) throw damage(`${bytes.byteLength} bytes are no whole number of values`);
  return new Uint8Array(bytes).buffer;
}

/** @throws Unreadable where the file cannot be read, or its values are not whole. */
export const readU32 = (path: string): Uint32Array => new Uint32Array(wholeValues(readBytes(path)));
