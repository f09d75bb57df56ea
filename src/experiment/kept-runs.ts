/** What runs are made beside: results, runs that go on, and runs that are under way. */
import type { RunDocument } from "../record/run-document.js";
import type { OtherRun, OtherRuns } from "./other-runs.js";
import type { RunOfConfig } from "./share.js";
import type { MadeIn } from "./surroundings.js";

export class KeptRuns {
  readonly #made = new Map<string, MadeIn>();
  readonly #others: OtherRuns;
  #onKept = () => {};

  constructor(others: OtherRuns) {
    this.#others = others;
  }

  /** Looks at what other commands began or ended meanwhile. Returns what is new of it. */
  look(): readonly OtherRun[] {
    const found = this.#others.look();
    for (const { directory, made } of found) this.keep(directory, made);
    return found;
  }

  /** Lets others have a run that ended here. */
  release(run: RunOfConfig, document: Pick<RunDocument, "state">): void {
    this.#others.release(run, document);
  }

  /** Calls it whenever another one is there to be made beside. */
  tell(onKept: () => void): void {
    this.#onKept = onKept;
  }

  values(): Iterable<MadeIn> {
    return this.#made.values();
  }

  /** What holds of the run in this directory by now; undefined: nothing that another one would stand beside. */
  keep(directory: string, made: MadeIn | undefined): void {
    if (made === undefined) {
      this.#made.delete(directory);
      return;
    }
    this.#made.set(directory, made);
    this.#onKept();
  }
}
