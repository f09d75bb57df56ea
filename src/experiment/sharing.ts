/** How many runs share this machine, as far as that can be seen: of this command, and one at least of each beside it. */
import { hostname } from "node:os";
import type { ExperimentRecord } from "../record/experiment-record.js";
import type { RunDocument } from "../record/run-document.js";

type Others = Pick<ExperimentRecord, "others">;

/** What is looked at as a run begins and as it ends: who comes and goes between is not seen. */
export class Sharing {
  readonly #record: Others;
  readonly #backends: number;
  readonly #othersAtBegin: number;

  /** @param backends of this command. */
  constructor(record: Others, backends: number) {
    this.#record = record;
    this.#backends = backends;
    this.#othersAtBegin = othersHere(record);
  }

  /** As beside all backends that were asked for, of which some may do nothing. */
  begun(document: RunDocument): RunDocument {
    return withCount(document, this.#backends + this.#othersAtBegin);
  }

  /**
   * The most of all its parts.
   * @param atWork the backends that did runs by now.
   * @param before how it was on record where it goes on.
   */
  trained(document: RunDocument, atWork: number, before?: RunDocument): RunDocument {
    const others = Math.max(this.#othersAtBegin, othersHere(this.#record));
    return withCount(document, Math.max(before?.sideBySide ?? 1, Math.min(this.#backends, atWork) + others));
  }
}

function withCount({ sideBySide: _, ...document }: RunDocument, count: number): RunDocument {
  return count > 1 ? { ...document, sideBySide: count } : document;
}

function othersHere(record: Others): number {
  const here = hostname();
  try {
    return record.others.filter(({ host }) => host === here).length;
  } catch {
    return 0; // a run does not end for that
  }
}
