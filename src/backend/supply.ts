import type { Backend } from "./backend.js";
import type { BackendClient } from "./client.js";

/** How one is asked for. */
export interface Asking {
  /** Whether one that is gone may be waited for, where somebody else starts it; yes where left out. */
  readonly waits?: boolean;
  /** Nobody wants it any more once this says so. */
  readonly over?: AbortSignal;
}

/** `another`: there was one before. */
type Open = (which: Asking & { readonly another: boolean }) => Promise<Backend>;

/** What it gives backends of. */
interface Place {
  /** For a person: where they run, or which job theirs is. */
  readonly name: string;
  /** Somebody else starts them, so that one may be there at any time. */
  readonly isElsewhere: boolean;
}

/** Backends one after another: the same one for as long as it serves, another one where it was lost. */
export class BackendSupply implements Place {
  readonly name: string;
  readonly isElsewhere: boolean;
  #current: Backend | undefined;
  readonly #open: Open;
  #opened = 0;

  constructor({ name, isElsewhere }: Place, open: Open) {
    this.name = name;
    this.isElsewhere = isElsewhere;
    this.#open = open;
  }

  /** @throws IbatchError when there is none to work with, and none can be started; Interrupted. */
  async get(asking: Asking = {}): Promise<BackendClient> {
    if (this.#current?.client.isLost) await this.discard();
    if (this.#current === undefined) {
      this.#current = await this.#open({ ...asking, another: this.#opened > 0 });
      this.#opened += 1;
    }
    return this.#current.client;
  }

  /** Ends the one in use, if there is one: who asks next gets another. */
  async discard(): Promise<void> {
    const discarded = this.#current;
    this.#current = undefined;
    await discarded?.stop();
  }
}
