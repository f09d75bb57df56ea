import { renameSync, rmSync, writeFileSync } from "node:fs";
import { writing } from "./disk.js";

/** Ends the name of a file that is being written. */
export const PARTIAL = ".partial";

/** Writes a file whole or not at all: under a temporary name, then renamed. */
export function writeWhole(path: string, data: string | Uint8Array): void {
  const temporary = `${path}${PARTIAL}`;
  writing(path, () => {
    try {
      writeFileSync(temporary, data, { flush: true });
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  });
}

/** JSON as a person would lay it out, with the newline at the end. */
export const writeWholeJson = (path: string, value: unknown): void =>
  writeWhole(path, `${JSON.stringify(value, null, 2)}\n`);
