/**
 * The random words of one bulk call, one after another.
 *
 * Block b is Philox(counter = [b, tag · 256, at low, at high], key), of four words. The fast form makes four blocks
 * at a time, one a lane, and stores them as they lie: the words go by groups of 16, the first words of four blocks,
 * then their second words, third, fourth.
 */
import { philox4x32 } from "../philox.js";
import type { BulkPlace } from "../random.js";

const GROUP = 16;

export class BulkWords {
  readonly #place: BulkPlace;
  readonly #group = new Uint32Array(GROUP);
  readonly #block = new Uint32Array(4);
  #groups = 0;
  #next = GROUP;

  constructor(place: BulkPlace) {
    this.#place = place;
  }

  next(): number {
    if (this.#next === GROUP) this.#fill();
    return this.#group[this.#next++];
  }

  /** Leaves out what is left of a group that was begun. */
  skipToGroup(): void {
    this.#next = GROUP;
  }

  #fill(): void {
    const { key0, key1, atLow, atHigh, tag } = this.#place;
    for (let lane = 0; lane < 4; lane++) {
      philox4x32(4 * this.#groups + lane, tag * 256, atLow, atHigh, key0, key1, this.#block);
      for (let word = 0; word < 4; word++) this.#group[4 * word + lane] = this.#block[word];
    }
    this.#groups++;
    this.#next = 0;
  }
}
