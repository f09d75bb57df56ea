import type { Backend } from "./backend.js";
import type { BackendClient } from "./client.js";

/** `another`: there was one before. */
type Open = (which: { readonly another: boolean }) => Promise<Backend>;

/** Backends one after another: the same one for as long as it serves, another one where it was lost. */
export class BackendSupply {
  /** For a person. */
  readonly name: string;
  #current: Backend | undefined;
  readonly #open: Open;
  #opened = 0;

  constructor(name: string, open: Open) {
    this.name = name;
    this.#open = open;
  }

  /** @throws IbatchError when there is none to work with, and none can be started; Interrupted. */
  async get(): Promise<BackendClient> {
    if (this.#current?.client.isLost) await this.discard();
    if (this.#current === undefined) {
      this.#current = await this.#open({ another: this.#opened > 0 });
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
