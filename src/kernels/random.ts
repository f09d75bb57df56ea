/**
 * Random numbers as a function of their place: (seed, stream, at, position). `at` is the epoch or the step.
 *
 * Nothing is kept between places, so resuming, skipping and asking twice change no bit. Seeds and streams are keys
 * of their own, never sums: (seed 0, epoch 1) has nothing to do with (seed 1, epoch 0).
 */
import { multiplyHigh, philox4x32 } from "./philox.js";

/** Every stream of random numbers there is; a new purpose gets a new name here. */
export const STREAMS = [
  "order",
  "batching",
  "order-each-batch",
  "batching-each-batch",
  "part",
  "order-pool",
  "batching-pool",
  "subset",
  "validation",
  "train-sample",
  "calibration",
  "test-sample",
  "placebo",
  "placebo-pool",
  "noise",
  "label-noise",
  "tuning",
] as const;
export type Stream = (typeof STREAMS)[number];

const TWO_32 = 2 ** 32;
const WORDS_A_BLOCK = 4;
/** Blocks count to 2^40 before they reach those of the first bulk call: half a day of nothing but uint32(). */
const MOST_BULK_CALLS = 2 ** 24 - 1;

/**
 * Where one bulk call finds its numbers: Philox under (key0, key1), with atLow and atHigh as the upper counter words,
 * in the blocks from tag · 2^40 on.
 */
export interface BulkPlace {
  readonly key0: number;
  readonly key1: number;
  readonly atLow: number;
  readonly atHigh: number;
  /** 1 for the first bulk call, 2 for the second, and so on. */
  readonly tag: number;
}

/** The numbers of one place, one after another. */
export interface Random {
  /** 32 random bits: an integer in 0 … 2^32-1. */
  uint32(): number;
  /** An integer in 0 … bound-1, each exactly as likely; `bound` is an integer in 1 … 2^32. */
  below(bound: number): number;
  /** A number in [0, 1), a multiple of 2^-53: 0 can come, 1 cannot. */
  uniform(): number;
  /**
   * Numbers for a kernel that takes them by the million, apart from all others: neither another bulk call nor the
   * members above come to them. They are a function of (seed, stream, at) and of how many bulk calls went before;
   * single numbers drawn before, between or after change nothing.
   */
  bulk(): BulkPlace;
}

/**
 * The numbers of (seed, stream, at), from the first on.
 *
 * The key is the first half of Philox(counter = [FNV-1a of the stream's name, 0, 0], key = [seed, 0]); block i of
 * four words is Philox(counter = [i, at], key), each of i and at as low and high word.
 */
export function random(seed: number, stream: Stream, at: number): Random {
  if (!Number.isInteger(seed) || seed < 0 || seed >= TWO_32) {
    throw new RangeError(`seed is ${seed}, expected an integer from 0 to 4294967295`);
  }
  if (!Number.isSafeInteger(at) || at < 0) {
    throw new RangeError(`at (the epoch or step) is ${at}, expected an integer of at least 0`);
  }
  const name = STREAM_HASHES.get(stream);
  if (name === undefined) {
    throw new RangeError(`unknown stream "${stream}", expected one of ${STREAMS.join(", ")}`);
  }
  const words = new Uint32Array(WORDS_A_BLOCK);
  philox4x32(name[0], name[1], 0, 0, seed, 0, words);
  return new PhiloxRandom(words[0], words[1], at);
}

class PhiloxRandom implements Random {
  readonly #words = new Uint32Array(WORDS_A_BLOCK);
  readonly #key0: number;
  readonly #key1: number;
  readonly #atLow: number;
  readonly #atHigh: number;
  /** The block to make next; `#words` holds the one before it, read up to `#next`. */
  #block = 0;
  #next = WORDS_A_BLOCK;
  #bulkCalls = 0;

  constructor(key0: number, key1: number, at: number) {
    this.#key0 = key0;
    this.#key1 = key1;
    this.#atLow = at >>> 0;
    this.#atHigh = Math.floor(at / TWO_32);
  }

  uint32(): number {
    if (this.#next === WORDS_A_BLOCK) {
      const low = this.#block >>> 0;
      const high = Math.floor(this.#block / TWO_32);
      philox4x32(low, high, this.#atLow, this.#atHigh, this.#key0, this.#key1, this.#words);
      this.#block++;
      this.#next = 0;
    }
    return this.#words[this.#next++];
  }

  /** Lemire 2019: the upper half of word × bound, drawing again for the few words that would favour some results. */
  below(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > TWO_32) {
      throw new RangeError(`bound is ${bound}, expected an integer from 1 to 4294967296`);
    }
    let word = this.uint32();
    if (bound === TWO_32) return word;
    let low = Math.imul(word, bound) >>> 0;
    if (low < bound) {
      const rejected = (TWO_32 - bound) % bound;
      while (low < rejected) {
        word = this.uint32();
        low = Math.imul(word, bound) >>> 0;
      }
    }
    return multiplyHigh(word, bound);
  }

  uniform(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  bulk(): BulkPlace {
    if (this.#bulkCalls === MOST_BULK_CALLS) {
      throw new RangeError(`more than ${MOST_BULK_CALLS} bulk calls at one place: give each step a place of its own`);
    }
    this.#bulkCalls++;
    return { key0: this.#key0, key1: this.#key1, atLow: this.#atLow, atHigh: this.#atHigh, tag: this.#bulkCalls };
  }
}

/** 64-bit FNV-1a of a text's UTF-8 bytes, as [low word, high word]. */
export function fnv1a64(text: string): readonly [number, number] {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return [Number(hash & 0xffffffffn), Number(hash >> 32n)];
}

const STREAM_HASHES: ReadonlyMap<string, readonly [number, number]> = new Map(
  STREAMS.map((stream) => [stream, fnv1a64(stream)]),
);
