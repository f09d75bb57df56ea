/** Arrays on disk: raw little-endian, which is how every machine that we run on has them in memory. */
import { damage, readBytes } from "./read-file.js";

export const bytesOf = (array: Uint32Array | Float32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

const VALUE_BYTES = 4;

/** The values of four bytes in what was read, in a buffer of their own. @throws Unreadable where they are not whole. */
export function wholeValues(bytes: Uint8Array): ArrayBuffer {
  if (bytes.byteLength % VALUE_BYTES !== 0) throw damage(`${bytes.byteLength} bytes are no whole number of values`);
  return new Uint8Array(bytes).buffer;
}

/** @throws Unreadable where the file cannot be read, or its values are not whole. */
export const readU32 = (path: string): Uint32Array => new Uint32Array(wholeValues(readBytes(path)));
