/** Which run is next, where several backends take runs side by side. */
import type { RunConfig } from "../config/run-config.js";
import type { PlannedRun } from "./plan-runs.js";

/** Runs that wait to be taken: by one backend in their sequence, by several the longest first, so that all end at about the same time. */
export class RunQueue {
  readonly #waiting: PlannedRun[];

  constructor(runs: readonly PlannedRun[], backends: number) {
    this.#waiting = backends === 1 ? [...runs] : runs.toSorted((a, b) => lengthOf(b.config) - lengthOf(a.config));
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  get waiting(): readonly PlannedRun[] {
    return this.#waiting;
  }

  /** The next one of those that may be taken. */
  take(mayTake: (run: PlannedRun) => boolean = () => true): PlannedRun | undefined {
    const at = this.#waiting.findIndex(mayTake);
    return at === -1 ? undefined : this.#waiting.splice(at, 1)[0];
  }

  /** Of a run that did not come to its end: it is the next one. */
  giveBack(run: PlannedRun): void {
    this.#waiting.unshift(run);
  }
}

/**
 * How long it takes beside runs of other arms, as far as the config says it: epochs, or a budget, which all arms have then.
 * What an order makes of an epoch is known once it trains.
 */
const lengthOf = ({ epochs, budget }: Pick<RunConfig, "epochs" | "budget">): number =>
  epochs ?? Math.max(0, ...Object.values(budget ?? {}).filter((amount) => amount !== undefined));
