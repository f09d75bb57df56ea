import { merge } from "../launch/merge.js";
import { sayLeftOut } from "./left-out.js";
import type { MergeOptions } from "./merge-command.js";
import { resultsText } from "./results-text.js";

/** `ibatch merge`: returns the exit code. */
export async function mergeTo(
  directories: readonly string[],
  { json, ...options }: MergeOptions,
  signal: AbortSignal,
): Promise<number> {
  const { leftOut, ...made } = await merge(directories, { ...options, signal, onWarning: () => {} });
  process.stdout.write(json ? `${JSON.stringify(made.summary, null, 2)}\n` : resultsText(made));
  return sayLeftOut(leftOut);
}
