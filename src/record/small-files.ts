/** Copies of the small files alone, byte for byte, in a directory that is read as the experiment's own. */
import { join } from "node:path";
import { CHECKSUMS, formatChecksums } from "./checksums.js";
import { EXPERIMENT } from "./experiment-document.js";
import { writeExported } from "./export-files.js";
import { isThere, readBytes } from "./read-file.js";
import { METRICS, RUN_DOCUMENT, TIMINGS } from "./run-files.js";
import { runDirectory } from "./run-places.js";
import { TUNING } from "./tuning-record.js";
import type { RunFiles } from "./verified-files.js";

const SMALL: readonly string[] = [RUN_DOCUMENT, METRICS, TIMINGS];

/** What it is, and how its learning rates were chosen. `from`: one that was read, so that this is known to be whole. */
export function copyExperimentDocuments(from: string, to: string): void {
  for (const name of [EXPERIMENT, ...(isThere(join(from, TUNING)) ? [TUNING] : [])]) {
    writeExported(join(to, name), readBytes(join(from, name)));
  }
}

/** With the lines of `SHA256SUMS` that are about them. `to`: the copy of the experiment's directory. */
export function copySmallFiles(
  files: RunFiles,
  to: string,
  { arm, seed }: { readonly arm: string; readonly seed: number },
): void {
  const run = runDirectory(to, arm, seed);
  for (const name of SMALL) if (files.has(name)) writeExported(join(run, name), files.bytes(name));
  const listed = files.listed;
  if (listed === undefined) return;
  writeExported(join(run, CHECKSUMS), formatChecksums(new Map([...listed].filter(([name]) => SMALL.includes(name)))));
}
