/** Integers in numpy's format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
import { damage } from "./read-file.js";

export interface NpyArray {
  readonly values: Uint32Array;
  readonly shape: readonly number[];
}

const MAGIC = Buffer.from("\x93NUMPY", "latin1");

export const isNpy = (bytes: Buffer): boolean => bytes.subarray(0, MAGIC.length).equals(MAGIC);

/** @throws Unreadable where it holds no integers from 0 to 2^32 - 1, or is not whole. */
export function readNpy(bytes: Buffer): NpyArray {
  if (bytes.length < 12) throw damage("it ends in its header");
  const isFirstVersion = bytes[6] === 1;
  const start = isFirstVersion ? 10 : 12;
  const end = start + (isFirstVersion ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8));
  const header = bytes.subarray(start, end).toString("utf8");
  const field = (pattern: RegExp) => pattern.exec(header)?.[1] ?? "";
  const dtype = field(/'descr':\s*'([^']*)'/);
  const shape = field(/'shape':\s*\(([^)]*)\)/)
    .split(",")
    .filter((size) => size.trim() !== "")
    .map(Number);
  if (field(/'fortran_order':\s*(\w+)/) === "True" && shape.length > 1) {
    throw damage("it is in Fortran's order: save np.ascontiguousarray(array)");
  }
  const { size, read } = integerOf(dtype);
  const count = shape.reduce((product, length) => product * length, 1);
  const data = bytes.subarray(end);
  if (data.length !== count * size) {
    throw damage(`it has ${data.length} bytes of values, its shape (${shape.join(", ")}) needs ${count * size}`);
  }
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const values = new Uint32Array(count);
  for (let at = 0; at < count; at++) values[at] = asIndex(read(view, at * size), at);
  return { values, shape };
}

interface Integer {
  readonly size: number;
  read(view: DataView, at: number): number;
}

function integerOf(dtype: string): Integer {
  const [, order, kind, digits] = /^([<>|=])([iu])([1248])$/.exec(dtype) ?? [];
  if (digits === undefined) throw damage(`its values are ${dtype || "no plain array"}: expected integers`);
  const little = order !== ">";
  const readers: Readonly<Record<string, (view: DataView, at: number) => number>> = {
    i1: (view, at) => view.getInt8(at),
    u1: (view, at) => view.getUint8(at),
    i2: (view, at) => view.getInt16(at, little),
    u2: (view, at) => view.getUint16(at, little),
    i4: (view, at) => view.getInt32(at, little),
    u4: (view, at) => view.getUint32(at, little),
    i8: (view, at) => Number(view.getBigInt64(at, little)),
    u8: (view, at) => Number(view.getBigUint64(at, little)),
  };
  return { size: Number(digits), read: readers[`${kind}${digits}`] };
}

/** @throws Unreadable where the value is no index. */
export function asIndex(value: number, place: number): number {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 32 - 1) return value;
  throw damage(`value ${value} at place ${place}: expected integers from 0`);
}
