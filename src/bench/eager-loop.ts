/** Ours once more, at a backend that does one operation at a time: `backend.fast: false`. */
import type { BackendClient } from "../backend/client.js";
import type { BackendSupply } from "../backend/supply.js";
import { OurLoop, type OurRun } from "./our-loop.js";
import type { Rival } from "./rival.js";

export class EagerLoop implements Rival {
  readonly name = "eager";
  readonly #backends: BackendSupply;
  readonly #begin: (client: BackendClient) => OurRun;
  #loop: OurLoop | undefined;

  constructor(backends: BackendSupply, begin: (client: BackendClient) => OurRun) {
    this.#backends = backends;
    this.#begin = begin;
  }

  async prepare(): Promise<void> {
    this.#loop = await OurLoop.open(this.#begin(await this.#backends.get()));
  }

  async round(): Promise<number> {
    if (this.#loop === undefined) throw new Error("the eager loop was not prepared");
    return (await this.#loop.round()).seconds;
  }

  async peakBytes(): Promise<number> {
    return peakBytesOf(await this.#backends.get());
  }

  async end(): Promise<void> {
    await this.#loop?.close();
    await this.#backends.discard();
  }
}

export async function peakBytesOf(client: BackendClient): Promise<number> {
  return (await client.control("status", { session: null })).fields.peakBytes;
}
