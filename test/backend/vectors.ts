import { readFileSync } from "node:fs";
import type { ShapedArray, WireArray } from "../../src/backend/messages.js";

interface Repeated {
  readonly before: string;
  readonly byte: string;
  readonly count: number;
  readonly after: string;
}
type Frame = string | Repeated;

export interface DescribedArray {
  readonly name: string;
  readonly dtype: "u8" | "u32" | "i32" | "f32" | "f64";
  readonly shape: readonly number[];
  readonly values?: readonly number[];
  readonly hex?: string;
}

/** A message, described in the wire's own names, and its bytes. */
export interface MessageVector {
  readonly name: string;
  readonly type: string;
  readonly id: number;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly arrays: readonly DescribedArray[];
  readonly frames: readonly Frame[];
  readonly decode_only?: boolean;
}

export interface DamagedVector {
  readonly name: string;
  readonly code: string;
  readonly frames: readonly Frame[];
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), "utf8"));

/** What test/vectors/make_vectors.py wrote. */
export const messageVectors = read("messages.json") as readonly MessageVector[];
export const damagedVectors = read("damaged.json") as readonly DamagedVector[];

const bytes = (hex: string): Buffer => Buffer.from(hex, "hex");

/** A frame at an address of its own, as it would come from a socket. */
export function frame(described: Frame): Uint8Array {
  if (typeof described === "string") return Uint8Array.from(bytes(described));
  const { before, byte, count, after } = described;
  const repeated = new Uint8Array(count); // zeros take no memory until they are read
  if (byte !== "00") repeated.fill(Number.parseInt(byte, 16));
  return before === "" && after === "" ? repeated : Buffer.concat([bytes(before), repeated, bytes(after)]);
}

export const hex = (frames: readonly Uint8Array[]): string[] => frames.map((part) => Buffer.from(part).toString("hex"));

const TYPES = { u8: Uint8Array, u32: Uint32Array, i32: Int32Array, f32: Float32Array, f64: Float64Array } as const;

/** The array that is described, as a message has it: with its shape where it has other than one dimension. */
export const wireArray = (described: DescribedArray): WireArray | ShapedArray =>
  described.shape.length === 1 ? typedArray(described) : { shape: described.shape, values: typedArray(described) };

function typedArray({ dtype, values, hex: raw }: DescribedArray): WireArray {
  return raw === undefined ? TYPES[dtype].from(values ?? []) : new TYPES[dtype](Uint8Array.from(bytes(raw)).buffer);
}

const camel = (name: string): string =>
  name
    .split("_")
    .map((word, at) => (at === 0 ? word : word.slice(0, 1).toUpperCase() + word.slice(1)))
    .join("");

/** The same with every key of every map in camelCase, bar digits, which have no case, and what is in a user's arguments. */
export function inCamelCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inCamelCase);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [camelKey(key), OPAQUE.includes(key) ? inner : inCamelCase(inner)]),
  );
}

const OPAQUE = ["args", "test_args"];

export const camelKey = (key: string): string => (/_\d/.test(key) ? key : camel(key));
