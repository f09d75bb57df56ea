import { note } from "./progress.js";

/** A line on standard error for each damaged thing that results were made without; whether there was any. */
export function sayLeftOut(lines: readonly string[]): boolean {
  for (const line of lines) note(`ibatch: left out: ${line}`);
  return lines.length > 0;
}
