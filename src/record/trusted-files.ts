/** Files that a user trusts, by path and hash, in the user's own configuration. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { usageError } from "../errors.js";
import { makeDirectory } from "./directory.js";
import { userConfiguration } from "./user-configuration.js";
import { writeWholeJson } from "./write-file.js";

const trustedFiles = z.record(z.string(), z.string());

const list = (): string => join(userConfiguration(), "trusted.json");

/** SHA-256 by absolute path, of each file as it was when it was trusted. @throws IbatchError when the list is damaged. */
export function readTrusted(): Readonly<Record<string, string>> {
  if (!existsSync(list())) return {};
  try {
    return trustedFiles.parse(JSON.parse(readFileSync(list(), "utf8")));
  } catch (error) {
    throw usageError(`${list()} is damaged: remove it, and trust your project files again`, { cause: error });
  }
}

/** Trusts a file as it is now. */
export function trust(path: string, sha256: string): void {
  const trusted = { ...readTrusted(), [path]: sha256 };
  makeDirectory(userConfiguration(), "XDG_CONFIG_HOME");
  writeWholeJson(list(), trusted);
}
