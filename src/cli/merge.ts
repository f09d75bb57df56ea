import { merge } from "../launch/merge.js";
import type { Summary } from "../record/summary-document.js";
import { EXIT } from "./exit-codes.js";
import { sayLeftOut } from "./left-out.js";
import type { MergeOptions } from "./merge-command.js";
import { note } from "./note.js";
import { resultsText } from "./results-text.js";

const hasFailed = ({ arms }: Summary): boolean => arms.some(({ failed }) => failed > 0);

/** `ibatch merge`: returns the exit code. */
export async function mergeTo(
  directories: readonly string[],
  { json, ...options }: MergeOptions,
  signal: AbortSignal,
): Promise<number> {
  const { leftOut, notes, ...made } = await merge(directories, { ...options, signal, onWarning: () => {} });
  process.stdout.write(json ? `${JSON.stringify(made.summary, null, 2)}\n` : resultsText(made));
  for (const line of notes) note(`ibatch: ${line}`);
  return sayLeftOut(leftOut) || (hasFailed(made.summary) ? EXIT.runFailed : EXIT.done);
}
