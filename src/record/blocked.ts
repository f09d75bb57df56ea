/** What lies where a directory of ours belongs, and is none that can be looked into. */
import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { codeOf } from "./disk-refusal.js";
import { isThere } from "./read-file.js";

/** What is wrong there, and what to do: goes on where the path ends. Undefined of a directory, and of nothing at all. */
export function whyBlocked(path: string): string | undefined {
  try {
    readdirSync(path);
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    const isNothing = (code === "ENOENT" || code === "ENOTDIR") && !isThere(path);
    return isNothing ? undefined : refused(path, code);
  }
}

function refused(path: string, code: string | undefined): string {
  if (code === "ENOENT") return `is a link to ${readlinkSync(path)}, which is not there: bring that back, or remove it`;
  if (code === "ELOOP") return "is a link that leads in a circle: remove it";
  if (code === "ENOTDIR")
    return `is ${isLink(path) ? "a link to a file" : "a file"}, where a directory belongs: move it`;
  if (code === "EACCES" || code === "EPERM") return "cannot be read (no permission): allow that";
  return `cannot be read (${code}): mend that`;
}

const isLink = (path: string): boolean => lstatSync(path).isSymbolicLink();
