import { renameSync, rmSync, writeFileSync } from "node:fs";
import { exactJson } from "../exact-json.js";
import { flushNames, writing } from "./disk.js";

/** Ends the name of a file that is being written. */
export const PARTIAL = ".partial";

/** Writes a file whole or not at all: under a temporary name, then renamed. It is on the disk itself when this returns. */
export function writeWhole(path: string, data: string | Uint8Array): void {
  const temporary = `${path}${PARTIAL}`;
  writing(path, () => {
    try {
      writeFileSync(temporary, data, { flush: true });
      renameSync(temporary, path);
      flushNames(path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  });
}

/** JSON as a person would lay it out, with the newline at the end. What is not finite stands in it as a string. */
export const wholeJson = (value: unknown): string => `${exactJson(value, { indent: 2, nonFinite: "quoted" })}\n`;

export const writeWholeJson = (path: string, value: unknown): void => writeWhole(path, wholeJson(value));

/** A value as it comes back from a record, where 1.0 is 1 again. */
export const asRecorded = (value: unknown): unknown => JSON.parse(exactJson(value, { nonFinite: "quoted" }));
