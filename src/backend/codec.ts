/** Frames to messages and back (docs/PROTOCOL.md, sections "Messages" and "Checks"). */
import { endianness } from "node:os";
import { Packr } from "msgpackr";
import { z } from "zod";
import { BackendError } from "./errors.js";
import {
  type Dtype,
  type DtypeArrays,
  type FieldsOf,
  int,
  isMessageType,
  MESSAGES,
  type Message,
  type MessageArrays,
  type MessageKind,
  type MessageType,
  positiveInt,
  type ShapedArray,
  type WireArray,
} from "./messages.js";

export const VERSION = 1;
export const MAX_HEADER_BYTES = 262_144;
export const MAX_MESSAGE_BYTES = 2 ** 30;
export const MAX_FRAMES = 17;

type View<A> = (buffer: ArrayBufferLike, byteOffset: number, length: number) => A;
const VIEWS: { readonly [D in Dtype]: View<DtypeArrays[D]> } = {
  u8: (...at) => new Uint8Array(...at),
  u32: (...at) => new Uint32Array(...at),
  i32: (...at) => new Int32Array(...at),
  f32: (...at) => new Float32Array(...at),
  f64: (...at) => new Float64Array(...at),
};
const ELEMENT_BYTES = { u8: 1, u32: 4, i32: 4, f32: 4, f64: 8 } as const satisfies Record<Dtype, number>;

// Maps stay maps until their keys are checked; records would be an extension that Python cannot read.
const packr = new Packr({
  useRecords: false,
  mapsAsObjects: false,
  variableMapSize: true,
  int64AsType: "number",
});

// Not z.int(): a length beyond 2^53 is an integer, if one that no frame has.
const size = z.number().refine(Number.isInteger, "expected an integer");
const arrayHeaders = z.array(z.strictObject({ name: z.string(), dtype: z.string(), shape: z.array(size) }));
type ArrayHeader = z.infer<typeof arrayHeaders>[number];

/** Header frame and array frames. Arrays are sent as they lie in memory: leave them alone until the answer came. */
export function encode<T extends MessageType>(
  id: number,
  type: T,
  fields: FieldsOf<T>,
  arrays: MessageArrays<T>,
): Uint8Array[] {
  if (endianness() !== "LE") throw new Error("the wire is little-endian and this machine is not");
  const kind: MessageKind = MESSAGES[type];
  const given: Record<string, unknown> = fields;
  const headers: unknown[] = [];
  const frames: Uint8Array[] = [];
  for (const { name, dtype, shape, values } of presentArrays(kind, arrays)) {
    headers.push({ name: snakeCase(name), dtype, shape });
    frames.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  // The fields in the order of the protocol's tables, whatever the order they were given in.
  const inOrder = Object.keys(kind.fields.shape).map((key) => [key, given[key]] as const);
  const header = { version: VERSION, id, type, ...toWire(Object.fromEntries(inOrder)), arrays: headers };
  return [packr.pack(header), ...frames];
}

interface PresentArray extends ShapedArray {
  readonly name: string;
  readonly dtype: Dtype;
}

type AnyArray = WireArray | ShapedArray;

function presentArrays(kind: MessageKind, arrays: Readonly<Record<string, AnyArray | undefined>>): PresentArray[] {
  return Object.entries(kind.arrays).flatMap(([name, { dtype }]): PresentArray[] => {
    const array = arrays[name];
    if (array === undefined) return [];
    const { shape, values } = ArrayBuffer.isView(array) ? { shape: [array.length], values: array } : array;
    return [{ name, dtype, shape, values }];
  });
}

/**
 * The message in these frames; arrays are views into them where alignment allows.
 * @throws BackendError with one of the codes of docs/PROTOCOL.md, section "Checks", in that order.
 */
export function decode(frames: readonly Uint8Array[]): Message {
  checkLimits(frames);
  const header = readHeader(frames);
  const { version, type, id, arrays, ...fields } = header;
  if (version !== VERSION) {
    throw new BackendError("bad_version", `protocol version ${version}; this controller speaks version ${VERSION}`);
  }
  if (!isMessageType(type)) throw new BackendError("unknown_type", `message type ${type} is not known`);
  const kind: MessageKind = MESSAGES[type];
  const envelope = check(
    type,
    z.strictObject({ id: isRequest(type) ? positiveInt : int, arrays: arrayHeaders }),
    withOurNames({ id, arrays }),
  );
  const checked = check(type, kind.fields, withOurNames(fields));
  const message = {
    type,
    id: envelope.id,
    fields: checked,
    arrays: readArrays(type, kind, envelope.arrays, frames.slice(1)),
  };
  return message as Message; // the checks above are what makes it one
}

const isRequest = (type: MessageType): boolean => type !== "error" && !type.endsWith("_ok");

function checkLimits(frames: readonly Uint8Array[]): void {
  const total = frames.reduce((sum, frame) => sum + frame.byteLength, 0);
  const header = frames[0]?.byteLength ?? 0;
  if (frames.length > MAX_FRAMES || header > MAX_HEADER_BYTES || total > MAX_MESSAGE_BYTES) {
    throw new BackendError(
      "too_large",
      `a message of ${frames.length} frames, ${header} bytes of header and ${total} bytes in all; ` +
        `at most ${MAX_FRAMES}, ${MAX_HEADER_BYTES} and ${MAX_MESSAGE_BYTES} are allowed`,
    );
  }
}

function readHeader(frames: readonly Uint8Array[]): Record<string, unknown> {
  const [first] = frames;
  if (first === undefined) throw new BackendError("bad_message", "a message without frames");
  let header: unknown;
  try {
    header = packr.unpack(first);
  } catch (error) {
    throw new BackendError("bad_message", `the header is not MessagePack: ${String(error)}`);
  }
  if (!(header instanceof Map) || ![...header.keys()].every((key) => typeof key === "string")) {
    throw new BackendError("bad_message", "the header is not a map with string keys");
  }
  return Object.fromEntries(header);
}

function check<Output>(type: string, schema: z.ZodType<Output>, value: unknown): Output {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new BackendError("bad_field", `${type} message: ${issue?.message} at ${issue?.path.map(snakeKey).join(".")}`);
}

function readArrays(
  type: string,
  kind: MessageKind,
  headers: readonly ArrayHeader[],
  frames: readonly Uint8Array[],
): Record<string, AnyArray> {
  const refuse = (reason: string) => new BackendError("bad_array", `${type} message: ${reason}`);
  if (headers.length !== frames.length) {
    throw refuse(`the header names ${headers.length} arrays, ${frames.length} frames came`);
  }
  const arrays: Record<string, AnyArray> = {};
  headers.forEach((header, at) => {
    const name = camelCase(header.name);
    const spec = Object.hasOwn(kind.arrays, name) && header.name === snakeCase(name) ? kind.arrays[name] : undefined;
    const frame = frames[at];
    if (spec === undefined || frame === undefined) throw refuse(`no array \`${header.name}\` belongs to it`);
    if (name in arrays) throw refuse(`array \`${header.name}\` comes twice`);
    const { dtype, dimensions } = spec;
    const { shape } = header;
    if (header.dtype !== dtype || shape.length !== dimensions) {
      throw refuse(
        `array \`${header.name}\` is ${header.dtype} with ${shape.length} dimensions; ` +
          `${dtype} with ${dimensions} was expected`,
      );
    }
    if (!isShapeOf(shape, ELEMENT_BYTES[dtype], frame.byteLength)) {
      throw refuse(`array \`${header.name}\` of shape [${shape}] came with ${frame.byteLength} bytes`);
    }
    const values = view(dtype, frame);
    arrays[name] = dimensions === 1 ? values : { shape, values };
  });
  for (const [name, spec] of Object.entries(kind.arrays)) {
    if (!spec.optional && !(name in arrays)) throw refuse(`array \`${snakeCase(name)}\` is missing`);
  }
  return arrays;
}

/** Whether so many bytes have this shape. Next to a 0, too, sizes are limited: who lays the array out multiplies the others. */
function isShapeOf(shape: readonly number[], elementBytes: number, frameBytes: number): boolean {
  // Doubles round only above 2^53, which is more than any frame has.
  const bytes = (sizes: readonly number[]) => sizes.reduce((product, size) => product * size, elementBytes);
  if (shape.some((size) => size < 0) || bytes(shape) !== frameBytes) return false;
  return bytes(shape.filter((size) => size !== 0)) <= MAX_MESSAGE_BYTES;
}

/** The frame as a typed array: a view, or a copy where it is not aligned. */
function view(dtype: Dtype, frame: Uint8Array): WireArray {
  const bytes = ELEMENT_BYTES[dtype];
  const aligned = frame.byteOffset % bytes === 0 ? frame : Uint8Array.from(frame);
  return VIEWS[dtype](aligned.buffer, aligned.byteOffset, aligned.byteLength / bytes);
}

// --- names: snake_case on the wire, camelCase here

export const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
export const camelCase = (name: string): string =>
  name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
const snakeKey = (key: PropertyKey): string => (typeof key === "string" ? snakeCase(key) : String(key));

const toWire = (value: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).map(([key, inner]) => [snakeCase(key), toWireValue(inner)]));

/** A value with its names as they are on the wire. */
export function toWireValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toWireValue);
  return isPlainObject(value) ? toWire(value) : value;
}

function withOurNames(value: unknown): unknown {
  try {
    return fromWire(value);
  } catch (error) {
    if (error instanceof RangeError) throw new BackendError("bad_message", "the header is nested too deep to be read");
    throw error;
  }
}

function fromWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromWire);
  if (value instanceof Map) return fromWire(toObject(value));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const name = camelCase(key);
      if (snakeCase(name) !== key) throw new BackendError("bad_field", `field \`${key}\` is not in snake_case`);
      return [name, fromWire(inner)];
    }),
  );
}

function toObject(map: ReadonlyMap<unknown, unknown>): Record<string, unknown> {
  const entries: [string, unknown][] = [];
  for (const [key, value] of map) {
    if (typeof key !== "string") throw new BackendError("bad_field", `a key that is not a string: ${String(key)}`);
    entries.push([key, value]);
  }
  return Object.fromEntries(entries);
}

const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
