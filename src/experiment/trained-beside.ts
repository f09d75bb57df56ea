/** How many runs of a command were trained at a time, as a run's record says it. */
import type { RunDocument } from "../record/run-document.js";

/**
 * The most of all its parts. It begins as beside all backends that were asked for, of which some may do nothing.
 * @param atWork the backends that did runs by now.
 * @param before how it was on record where it goes on.
 */
export function trainedBeside(document: RunDocument, atWork: number, before?: RunDocument): RunDocument {
  const { sideBySide: planned = 1, ...alone } = document;
  const most = Math.max(before?.sideBySide ?? 1, Math.min(planned, atWork));
  return most === 1 ? alone : { ...document, sideBySide: most };
}
