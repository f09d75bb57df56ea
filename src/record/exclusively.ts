/** What all commands share that work in one directory is read and written by one of them at a time. */
import { Held, Lock } from "./lock.js";

/** So long others are waited for, each of whom writes a few files. */
const PATIENCE_SECONDS = 40;

/** Between two words in a long loop. */
const BEAT_MILLISECONDS = 1000;

/** What all share in a directory, to one of them. */
export class SharedDirectory {
  readonly #directory: string;
  readonly #sayMore: () => void;
  #lock: Lock | undefined;
  #saidAt = Number.NEGATIVE_INFINITY;

  /** `sayMore`: says likewise, of what else this process holds, that it lives; called while others are waited for, too. */
  constructor(directory: string, sayMore: () => void = () => {}) {
    this.#directory = directory;
    this.#sayMore = sayMore;
  }

  /**
   * Does it with others kept out of what is shared there. Nothing may be awaited in it. Where they are kept out already, they are
   * still. Others are waited for for so long; nothing else is done in this process until then.
   * @throws Held where one keeps the directory for longer: an ibatch of before holds it for as long as it trains; IbatchError
   * where another took this process for gone meanwhile.
   */
  exclusively<T>(act: () => T, patienceSeconds = PATIENCE_SECONDS): T {
    if (this.#lock !== undefined) {
      this.#lock.refuseIfLost();
      return act();
    }
    const lock = takeBriefly(this.#directory, patienceSeconds, this.#sayMore);
    this.#lock = lock;
    this.#saidAt = Number.NEGATIVE_INFINITY;
    try {
      return act();
    } finally {
      this.#lock = undefined;
      lock.release();
    }
  }

  /** To be called now and then in what takes long: nothing else says meanwhile that this process lives. @throws IbatchError, as above. */
  sayAlive(): void {
    const now = performance.now();
    if (this.#lock === undefined || now - this.#saidAt < BEAT_MILLISECONDS) return;
    this.#saidAt = now;
    this.#lock.refuseIfLost();
    this.#lock.sayAlive();
    this.#sayMore();
  }
}

/** Likewise of one who shares it this once. */
export const exclusively = <T>(directory: string, act: () => T): T => new SharedDirectory(directory).exclusively(act);

function takeBriefly(directory: string, patienceSeconds: number, meanwhile: () => void): Lock {
  const last = performance.now() + 1000 * patienceSeconds;
  for (;;) {
    try {
      return new Lock(directory, { brief: true });
    } catch (error) {
      if (!(error instanceof Held) || error.isForLong || performance.now() > last) throw error;
    }
    meanwhile();
    sleep(5 + 20 * Math.random());
  }
}

/** Whoever holds it does a few writes, and other work of ours is not to come between. */
function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, milliseconds);
}
