/**
 * By which a backend knows a controller again that was started anew in the same run directory: a secret of the user's,
 * in the user's own state directory, and a name that follows from it and the directory.
 */
import { createHmac, randomBytes } from "node:crypto";
import { readFileSync, realpathSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { makeDirectory } from "./directory.js";

const SECRET = /^[0-9a-f]{64}$/;

/** Nobody who cannot read the user's files can say it. Another one each time where the user has no place for a secret. */
export const ownerOf = (directory: string): string =>
  createHmac("sha256", secret()).update(realpathSync(directory)).digest("hex");

function secret(): string {
  const place = join(process.env.XDG_STATE_HOME || join(homedir(), ".local", "state"), "ibatch");
  const path = join(place, "owner");
  const fresh = randomBytes(32).toString("hex");
  try {
    const kept = read(path);
    if (kept !== undefined) return kept;
    makeDirectory(place);
    const temporary = `${path}.${process.pid}`;
    writeFileSync(temporary, fresh, { mode: 0o600 });
    renameSync(temporary, path);
    return read(path) ?? fresh; // another command may have done the same meanwhile
  } catch {
    return fresh;
  }
}

function read(path: string): string | undefined {
  try {
    const text = readFileSync(path, "utf8");
    return SECRET.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}
