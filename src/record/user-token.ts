/** The secret by which backends and controllers of one user know each other on a machine that others use, too. */
import { randomBytes } from "node:crypto";
import { linkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { surroundingsError, usageError } from "../errors.js";
import { makeDirectory } from "./directory.js";
import { codeOf } from "./disk-refusal.js";
import { NO_READING, readGuarded } from "./secret-file.js";
import { userConfiguration } from "./user-configuration.js";
import { writing } from "./write-file.js";

export interface UserToken {
  readonly token: string;
  /** Where it was had from, for a person. */
  readonly from: string;
}

const VARIABLE = "IBATCH_TOKEN";
/** A shorter one could be guessed by who sees a handshake. */
const LEAST_CHARACTERS = 32;

/**
 * That of the environment; else the user's own, which whoever needs it first makes.
 * @throws IbatchError where it cannot be had, or must not be used.
 */
export function userToken(): UserToken {
  const given = (process.env[VARIABLE] ?? "").trim();
  if (given !== "") return longEnough(given, VARIABLE);
  const path = join(userConfiguration(), "token");
  return read(path) ?? made(path);
}

function read(path: string): UserToken | undefined {
  const text = readGuarded(path, NO_READING);
  return text === undefined ? undefined : longEnough(text.trim(), path);
}

/** The name comes with the whole content: who makes it at the same time finds ours, or we find theirs. */
function made(path: string): UserToken {
  makeDirectory(userConfiguration(), "XDG_CONFIG_HOME");
  const fresh = `${path}.${randomBytes(8).toString("hex")}`; // in containers all of us may be process 1
  writing(fresh, () => writeFileSync(fresh, `${randomBytes(32).toString("hex")}\n`, { mode: 0o600, flag: "wx" }));
  try {
    linkSync(fresh, path);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") {
      throw surroundingsError(`${path} cannot be made (${codeOf(error)}): set ${VARIABLE}`, { cause: error });
    }
  } finally {
    rmSync(fresh, { force: true });
  }
  const kept = read(path);
  if (kept === undefined) throw surroundingsError(`${path} went while it was made: give the same command again`);
  return kept;
}

/** What Node makes of bytes that are no UTF-8. */
const NO_CHARACTER = "\ufffd";

function longEnough(token: string, from: string): UserToken {
  if (token.includes(NO_CHARACTER)) {
    throw usageError(`${from}: a token is text in UTF-8, as \`openssl rand -hex 32\` gives`);
  }
  if (token.length >= LEAST_CHARACTERS) return { token, from };
  throw usageError(`${from}: a token has ${LEAST_CHARACTERS} characters at least, as \`openssl rand -hex 32\` gives`);
}
