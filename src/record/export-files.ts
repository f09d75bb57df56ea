/** What `ibatch export` leaves: files of its own, so no lock is needed and a run may be under way. */
import { dirname } from "node:path";
import { makeDirectory } from "./directory.js";
import { writeWhole } from "./write-file.js";

/** The directory beside the arms' that exports go to. */
export const EXPORTS = "export";

/** Writes the file whole, in directories that are made where they are not there. Returns its path. */
export function writeExported(path: string, content: string | Uint8Array): string {
  makeDirectory(dirname(path));
  writeWhole(path, content);
  return path;
}
