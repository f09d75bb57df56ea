/** The runs that a command has taken for itself: the lock in the directory of each. */
import { dirname, join } from "node:path";
import { whyBlocked } from "./blocked.js";
import { makeDirectory, removeEmpty } from "./directory.js";
import { Held, Lock } from "./lock.js";
import type { Holder } from "./lock-holder.js";
import { LOCK } from "./lock-holder.js";
import type { Presence } from "./presence.js";
import { isThere } from "./read-file.js";

/** How often a directory is made again that another command removes meanwhile, as nothing came of it. */
const TRIES = 10;

export class RunClaims {
  readonly #presence: Presence;
  readonly #locks = new Map<string, Lock>();
  /** Directories that were made for them. */
  readonly #made = new Set<string>();

  constructor(presence: Presence) {
    this.#presence = presence;
  }

  has(run: string): boolean {
    return this.#locks.has(run);
  }

  /** Returns who holds it, where that is another living process. Nothing where something lies in its directory's place. */
  take(run: string): Holder | undefined {
    if ([dirname(run), run].some((path) => whyBlocked(path) !== undefined)) return undefined;
    try {
      this.takeOrRefuse(run);
      return undefined;
    } catch (error) {
      if (error instanceof Held && error.holder !== undefined) return error.holder;
      throw error;
    }
  }

  /** @throws Held */
  takeOrRefuse(run: string): void {
    if (this.#locks.has(run)) return;
    for (let left = TRIES; ; left--) {
      for (const directory of makeDirectory(run)) this.#made.add(directory);
      try {
        this.#locks.set(run, new Lock(run, { presence: this.#presence }));
        return;
      } catch (error) {
        this.#removeEmpty(run);
        if (left === 0 || isThere(run)) throw error;
      }
    }
  }

  /** Of a run that did not begin. */
  #removeEmpty(run: string): void {
    removeEmpty([dirname(run), run].filter((directory) => this.#made.has(directory)));
  }

  /** Does nothing of a run that was not taken. @throws IbatchError where another took it over. */
  refuseIfLost(run: string): void {
    this.#locks.get(run)?.refuseIfLost();
  }

  release(run: string): void {
    const lock = this.#locks.get(run);
    if (lock === undefined) return;
    this.#locks.delete(run);
    lock.release();
    this.#removeEmpty(run);
  }

  releaseAll(): void {
    for (const run of this.#locks.keys()) this.release(run);
  }
}

/** Removes the lock that a command left in a run's directory which is gone. */
export function sweepLock(run: string): void {
  if (!isThere(join(run, LOCK))) return;
  try {
    new Lock(run).release();
  } catch (error) {
    if (!(error instanceof Held)) throw error;
  }
}
