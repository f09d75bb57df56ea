/** What runs are made beside: results, runs that go on, and runs that are under way. */
import type { MadeIn } from "./surroundings.js";

export class KeptRuns {
  readonly #made = new Map<string, MadeIn>();

  values(): Iterable<MadeIn> {
    return this.#made.values();
  }

  /** What holds of the run in this directory by now; undefined: nothing that another one would stand beside. */
  keep(directory: string, made: MadeIn | undefined): void {
    if (made === undefined) this.#made.delete(directory);
    else this.#made.set(directory, made);
  }
}
