/**
 * Typed arrays as a safetensors file, as numpy and torch read it: 8 bytes with the header's length, the header (JSON:
 * each array's dtype, shape and place), the arrays, raw little-endian.
 */
import { z } from "zod";
import { damage, parseJson } from "./read-file.js";
import { bytesOf } from "./write-file.js";

export type NumberArray = Uint8Array | Uint32Array | Int32Array | Float32Array | Float64Array;

/** The widest first, so that each array begins at a multiple of its element's size. */
const DTYPES = [
  ["F64", Float64Array],
  ["F32", Float32Array],
  ["I32", Int32Array],
  ["U32", Uint32Array],
  ["U8", Uint8Array],
] as const;

const LENGTH_BYTES = 8;

const place = z.strictObject({
  dtype: z.enum(DTYPES.map(([name]) => name)),
  shape: z.tuple([z.int().min(0)]),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});
const header = z.record(z.string(), place);

/** Arrays of one dimension, by name. */
export function toSafetensors(arrays: ReadonlyMap<string, NumberArray>): Uint8Array {
  const places: z.infer<typeof header> = {};
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const [dtype, ArrayOf] of DTYPES) {
    for (const [name, array] of arrays) {
      if (!(array instanceof ArrayOf)) continue;
      places[name] = { dtype, shape: [array.length], data_offsets: [end, end + array.byteLength] };
      parts.push(bytesOf(array));
      end += array.byteLength;
    }
  }
  const text = JSON.stringify(places);
  const padded = Buffer.from(text.padEnd(Math.ceil(Buffer.byteLength(text) / LENGTH_BYTES) * LENGTH_BYTES));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, ...parts]);
}

/** @throws Unreadable */
export function fromSafetensors(bytes: Uint8Array): Map<string, NumberArray> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = buffer.length < LENGTH_BYTES ? Number.POSITIVE_INFINITY : Number(buffer.readBigUInt64LE());
  const start = LENGTH_BYTES + length;
  if (start > buffer.length) throw damage("it is cut off in its header");
  const places = parseJson(buffer.toString("utf8", LENGTH_BYTES, start), header);
  const arrays = new Map<string, NumberArray>();
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(places)) {
    const [, ArrayOf] = DTYPES.find(([name]) => name === dtype) ?? DTYPES[0];
    const [from, to] = offsets.map((offset) => start + offset);
    if (to > buffer.length || to - from !== shape[0] * ArrayOf.BYTES_PER_ELEMENT) throw damage(`${name} is cut off`);
    arrays.set(name, new ArrayOf(Uint8Array.from(buffer.subarray(from, to)).buffer));
  }
  return arrays;
}
