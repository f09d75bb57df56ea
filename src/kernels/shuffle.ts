import { checkLength } from "./checks.js";
import { copyIn, copyOut, fastKernels, layOut, placeOf } from "./module.js";
import { bucketCountOf } from "./plain/shuffle.js";
import type { Random } from "./random.js";

/**
 * Fisher–Yates in place on values[start … end-1]: every sequence of them is equally likely. For small parts; a whole
 * array is shuffled faster by `shuffled`.
 */
export function shuffle(values: Uint32Array, random: Random, start = 0, end = values.length): void {
  for (let last = end - 1; last > start; last--) {
    const chosen = start + random.below(last - start + 1);
    const value = values[last];
    values[last] = values[chosen];
    values[chosen] = value;
  }
}

/** A multiple of 4096 values, 64 KiB: they pass through the module by the piece, and so in the cache. */
const PIECE = 2 ** 14;

/**
 * A shuffled copy, into `out` (of the same length; `values` itself will do) where given: every sequence is equally
 * likely. Takes one bulk call from `random`; its bits are not those of `shuffle`.
 *
 * Each value chooses one of 64 buckets (32 where they are many), and the buckets are shuffled by Fisher–Yates in cache
 * (Rao 1961, Sandelius 1962).
 */
export function shuffled(
  values: Readonly<Uint32Array>,
  random: Random,
  out = new Uint32Array(values.length),
): Uint32Array {
  const n = values.length;
  checkLength("out", out.length, n);
  const kernels = fastKernels();
  const place = placeOf(random.bulk());
  const count = bucketCountOf(n);
  const mean = n / count;
  // Larger buckets come about once in hundreds of calls.
  let room = Math.ceil(mean + 4 * Math.sqrt(mean));
  let buckets = scatter(kernels, values, count, room, place);
  while (buckets === undefined) {
    room *= 2;
    buckets = scatter(kernels, values, count, room, place);
  }
  for (let b = 0, done = 0; b < count; b++) {
    const size = kernels.shuffleBucket(b);
    copyOut(kernels, buckets.at + b * buckets.bytes, out.subarray(done, done + size));
    done += size;
  }
  return out;
}

/** Where the buckets lie; undefined where the values did not fit. */
function scatter(
  kernels: ReturnType<typeof fastKernels>,
  values: Readonly<Uint32Array>,
  count: number,
  room: number,
  place: ReturnType<typeof placeOf>,
): { at: number; bytes: number } | undefined {
  const n = values.length;
  const piece = Math.min(n, PIECE);
  // Each bucket starts on another line of its page: the cache has few places for addresses that share their last bits.
  const bytes = Math.ceil((4 * (room + piece)) / 4096) * 4096 + 64;
  const [pieceAt, at] = layOut(kernels, 4 * piece, count * bytes);
  kernels.startShuffle(n, count, at, bytes, ...place);
  for (let start = 0; start < n; start += piece) {
    const part = values.subarray(start, start + piece);
    copyIn(kernels, pieceAt, part);
    if (!kernels.scatterPiece(pieceAt, part.length)) return undefined;
  }
  return { at, bytes };
}
