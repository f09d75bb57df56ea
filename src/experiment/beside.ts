/** How many runs share this machine, as far as that can be seen: of this command, and one at least of each beside it. */
import { hostname } from "node:os";
import type { RunDocument } from "../record/run-document.js";
import type { ExperimentInputs } from "./experiment-inputs.js";

/** `before`: others that were there when it began. To be looked at as a run begins, and as it ends: who came and went meanwhile is not seen. The most counts. */
export function besideCommands(
  { record, workplace }: Pick<ExperimentInputs, "record" | "workplace">,
  document: RunDocument,
  before = 0,
): RunDocument {
  const others = Math.max(before, othersHere(record));
  if (others === 0) return document;
  return { ...document, sideBySide: Math.max(document.sideBySide ?? 0, workplace.pool.length + others) };
}

export function othersHere(record: ExperimentInputs["record"]): number {
  const here = hostname();
  try {
    return record.others.filter(({ host }) => host === here).length;
  } catch {
    return 0; // a run does not end for that
  }
}
