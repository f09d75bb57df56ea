import { EXIT } from "./exit-codes.js";
import { note } from "./note.js";

/** A line on standard error for each damaged thing that results were made without. Returns the exit code. */
export function sayLeftOut(lines: readonly string[]): number {
  for (const line of lines) note(`ibatch: left out: ${line}`);
  return lines.length > 0 ? EXIT.usage : EXIT.done;
}
