/**
 * What messages that never end take in this process. zeromq keeps the frames of one until all of it has come, however many,
 * and tells nothing of them: memory that is neither JavaScript's nor any array's grows, and no message is delivered.
 */
import { totalmem } from "node:os";

const LOOK_MS = 100;
/** More than what one message may have, and what else the process does outside of its heap. */
const LEAST_LIMIT = 4 * 2 ** 30;

interface Watched {
  /** Bytes in no heap and no array, when something was last delivered. */
  before: number;
  delivered: boolean;
  readonly endIt: (grownBytes: number) => void;
}

/** Ends connections over which nothing is delivered while memory grows, one after another, until it grows no more. */
export class ArrivingMemory {
  readonly #limit: number;
  readonly #nativeBytes: () => number;
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;

  constructor(limitBytes = Math.max(LEAST_LIMIT, totalmem() / 4), nativeBytes = nativeBytesNow) {
    this.#limit = limitBytes;
    this.#nativeBytes = nativeBytes;
  }

  /** `endIt` is called, once, when what may be its messages has grown beyond the limit. */
  watch(endIt: (grownBytes: number) => void): { delivered(): void; end(): void } {
    const watched: Watched = { before: this.#nativeBytes(), delivered: false, endIt };
    this.#watched.add(watched);
    this.#timer ??= setInterval(() => this.look(), LOOK_MS).unref();
    return {
      delivered: () => {
        watched.delivered = true;
      },
      end: () => this.#forget(watched),
    };
  }

  look(): void {
    const now = this.#nativeBytes();
    for (const watched of this.#watched) {
      watched.before = watched.delivered ? now : Math.min(watched.before, now);
      watched.delivered = false;
    }
    // The newest: one that has answered for long is the least likely.
    const suspect = [...this.#watched].findLast(({ before }) => now - before > this.#limit);
    if (suspect === undefined) return;
    this.#forget(suspect);
    suspect.endIt(now - suspect.before);
  }

  #forget(watched: Watched): void {
    this.#watched.delete(watched);
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function nativeBytesNow(): number {
  const { rss, heapTotal, external } = process.memoryUsage();
  return rss - heapTotal - external;
}

/** That of this process. */
export const arrivingMemory = new ArrivingMemory();
