/** What all commands share that work in one directory is read and written by one of them at a time. */
import { Held, Lock } from "./lock.js";

/** So long others are waited for, each of whom writes a few files. */
const PATIENCE_SECONDS = 40;

export interface Waiting {
  /** Called while others are waited for. */
  readonly meanwhile?: () => void;
  /** For so long; nothing else is done in this process until then. */
  readonly patienceSeconds?: number | undefined;
}

/**
 * Does it with others kept out of what is shared in the directory. Nothing may be awaited in it.
 * @throws Held where one keeps the directory for longer: an ibatch of before holds it for as long as it trains.
 */
export function exclusively<T>(directory: string, act: () => T, waiting: Waiting = {}): T {
  const lock = takeBriefly(directory, waiting);
  try {
    return act();
  } finally {
    lock.release();
  }
}

function takeBriefly(directory: string, { meanwhile = () => {}, patienceSeconds = PATIENCE_SECONDS }: Waiting): Lock {
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
