/** What the backends of a pool are to be like: arms that some machines trained otherwise are not comparable. */
import type { Backends } from "./backends.js";
import type { KeptRuns } from "./kept-runs.js";
import { type Machine, otherMachine } from "./surroundings.js";

export class PoolStandard {
  readonly #kept: Pick<KeptRuns, "values">;
  #first: { readonly backends: Backends; readonly machine: Machine } | undefined;

  constructor(kept: Pick<KeptRuns, "values">) {
    this.#kept = kept;
  }

  /** For as long as nothing is on record. */
  setBy(backends: Backends, machine: Machine): void {
    this.#first = { backends, machine };
  }

  /** It does no run, so the others need not be like it. */
  forget(backends: Backends): void {
    if (this.#first?.backends === backends) this.#first = undefined;
  }

  /** Whether no run was made there yet: it may turn out that none can be. */
  get isUnproven(): boolean {
    return this.#first !== undefined && this.#made.length === 0;
  }

  /** What is otherwise there than where runs were made, or than at the backend that sets it. */
  whyOther(machine: Machine): string | undefined {
    const made = this.#made;
    const all = made.length > 0 || this.#first === undefined ? made : [this.#first.machine];
    for (const one of all) {
      const other = otherMachine(one, machine);
      if (other !== undefined) return other;
    }
    return undefined;
  }

  get #made(): Machine[] {
    return [...this.#kept.values()].flatMap(({ failedByItself, surroundings }) =>
      failedByItself ? [] : [surroundings],
    );
  }
}
