import { usageError } from "../errors.js";
import { EXPORT_TARGETS } from "../export/index.js";
import { findNamed } from "../nearest.js";
import type { ExportOptions } from "./export-command.js";
import { sayLeftOut } from "./left-out.js";

/** `ibatch export`: standard output carries the places that were written, or the table itself. */
export async function exportTo(directory: string, options: ExportOptions, signal: AbortSignal): Promise<number> {
  const { to, out, python } = options;
  if (to === undefined) {
    throw usageError(`--to is needed: one of ${EXPORT_TARGETS.map(({ name }) => name).join(", ")}`);
  }
  const write = await findNamed("export target", EXPORT_TARGETS, to).load();
  const { written, leftOut } = await write({ directory, out, python, signal });
  process.stdout.write(written);
  return sayLeftOut(leftOut);
}
