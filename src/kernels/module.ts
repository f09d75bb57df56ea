/**
 * The one place that loads dist/kernels/kernels.wasm (built from assembly/) and lays out its memory.
 *
 * The module is compiled at the first use. Its memory is a scratch-pad: each call copies its arrays in and its result
 * out, and nothing in it outlives a call. It grows to what the largest call so far needed and stays so: pages that a
 * smaller call does not touch cost no time, and giving them back is not possible.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { BulkPlace } from "./random.js";

/** The little of the global of that name that is used here; TypeScript has its types only with those of browsers. */
declare namespace WebAssembly {
  interface Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(module: Module);
    readonly exports: unknown;
  }
}

type Place = [tag: number, atLow: number, atHigh: number, key0: number, key1: number];

/** What assembly/index.ts exports; addresses and counts are numbers. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  heapBase(): number;
  argsort(keys: number, n: number, isDescending: number, pairs: number, temp: number): void;
  argsortWithin(
    keys: number,
    classes: number,
    n: number,
    classCount: number,
    isDescending: number,
    pairs: number,
    temp: number,
    buckets: number,
    offsets: number,
  ): number;
  topK(keys: number, n: number, k: number, isDescending: number, pairs: number, temp: number, out: number): void;
  positiveWeights(weights: number, n: number): number;
  largestWeightBits(): number;
  smallestWeightBits(): number;
  weightedKeys(weights: number, n: number, scale1: number, scale2: number, ...place: Place): void;
  weightedSample(keys: number, n: number, count: number, pairs: number, temp: number, out: number): number;
  startShuffle(n: number, count: number, at: number, bytes: number, ...place: Place): void;
  scatterPiece(values: number, n: number): number;
  shuffleBucket(bucket: number): number;
}

const PAGE_BYTES = 65536;
const MOST_BYTES = 2 ** 32;
/** Above src/kernels and dist/kernels alike; a URL, since an installation may be anywhere. */
const FILE = new URL("../../dist/kernels/kernels.wasm", import.meta.url);

let loaded: Exports | undefined;
let calls = 0;

/** Calls into the module so far: by this a test tells that the fast form ran. */
export function fastCalls(): number {
  return calls;
}

/** The module's functions, for one call. */
export function fastKernels(): Exports {
  loaded ??= load();
  calls++;
  return loaded;
}

/** The addresses of arrays of so many bytes each, one after another; views of the memory made before are no good after. */
export function layOut(kernels: Exports, ...sizes: number[]): number[] {
  let end = padded(kernels.heapBase());
  const addresses = sizes.map((size) => {
    const start = end;
    end += padded(size);
    return start;
  });
  if (end > MOST_BYTES) {
    throw new RangeError(
      `a kernel needs ${Math.ceil(end / 2 ** 20)} MiB for this many samples, expected at most 4096 MiB: take fewer`,
    );
  }
  const missing = end - kernels.memory.buffer.byteLength;
  if (missing > 0) kernels.memory.grow(Math.ceil(missing / PAGE_BYTES));
  return addresses;
}

export function copyIn(kernels: Exports, address: number, values: Readonly<Float32Array | Uint32Array>): void {
  // Bit for bit; a conversion from float to float might change the bits of a NaN.
  words(kernels, address, values.length).set(new Uint32Array(values.buffer, values.byteOffset, values.length));
}

export function copyOut(kernels: Exports, address: number, out: Float32Array | Uint32Array): void {
  new Uint32Array(out.buffer, out.byteOffset, out.length).set(words(kernels, address, out.length));
}

/** A place as the module's functions take it. */
export function placeOf({ tag, atLow, atHigh, key0, key1 }: BulkPlace): Place {
  return [tag, atLow, atHigh, key0, key1];
}

function words(kernels: Exports, address: number, length: number): Uint32Array {
  return new Uint32Array(kernels.memory.buffer, address, length);
}

/** Up to a multiple of 64 and 64 more: vectors may run over an array's end, and arrays start on a cache line. */
function padded(bytes: number): number {
  return Math.ceil(bytes / 64) * 64 + 64;
}

function load(): Exports {
  const module = new WebAssembly.Module(readModule());
  // The types of a module's exports are known to its compiler alone; assembly/index.ts and `Exports` go together.
  return new WebAssembly.Instance(module).exports as Exports;
}

function readModule(): Buffer {
  try {
    return readFileSync(FILE);
  } catch (error) {
    throw new Error(`the kernels are not built, expected them in ${fileURLToPath(FILE)}: run \`npm run setup\``, {
      cause: error,
    });
  }
}
