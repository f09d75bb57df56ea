import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode, encode } from "../../src/backend/codec.js";
import { BackendError, isErrorCode } from "../../src/backend/errors.js";
import {
  type FieldsOf,
  MESSAGES,
  type MessageArrays,
  type MessageType,
  type ShapedArray,
  SIGNALS,
  type WireArray,
} from "../../src/backend/messages.js";
import { camelKey, damagedVectors, frame, hex, inCamelCase, messageVectors, wireArray } from "./vectors.js";

type AnyArrays = Record<string, WireArray | ShapedArray>;

const codeOf = (frames: readonly Uint8Array[]): string => {
  try {
    decode(frames);
  } catch (error) {
    if (error instanceof BackendError) return error.code;
    throw error;
  }
  return "accepted";
};

test("the vectors hold every type and every check", () => {
  expect(new Set(messageVectors.map(({ type }) => type))).toEqual(new Set(Object.keys(MESSAGES)));
  expect(new Set(damagedVectors.map(({ code }) => code))).toEqual(
    new Set(["too_large", "bad_message", "bad_version", "unknown_type", "bad_field", "bad_array"]),
  );
});

describe("decodes to the message described", () => {
  test.each(messageVectors.map((vector) => [vector.name, vector] as const))("%s", (_, vector) => {
    const message = decode(vector.frames.map(frame));
    expect(message.type).toBe(vector.type);
    expect(message.id).toBe(vector.id);
    expect(message.fields).toEqual(inCamelCase(vector.fields));
    const arrays = Object.entries(message.arrays as AnyArrays);
    expect(arrays.map(([name]) => name)).toEqual(vector.arrays.map(({ name }) => camelKey(name)));
    for (const [at, [, array]] of arrays.entries())
      expect(laidOut(array)).toEqual(laidOut(wireArray(vector.arrays[at])));
  });
});

/** Type, shape and bytes: these tell -0 from 0, and one NaN from another. */
function laidOut(array: WireArray | ShapedArray) {
  const { shape, values } = ArrayBuffer.isView(array) ? { shape: "flat", values: array } : array;
  const { buffer, byteOffset, byteLength } = values;
  return { type: values.constructor.name, shape, bytes: Buffer.from(buffer, byteOffset, byteLength) };
}

describe("encodes to exactly these bytes", () => {
  const encoded = messageVectors.filter((vector) => vector.decode_only !== true);
  test.each(encoded.map((vector) => [vector.name, vector] as const))("%s", (_, vector) => {
    const arrays = Object.fromEntries(vector.arrays.map((array) => [camelKey(array.name), wireArray(array)]));
    const fields = inCamelCase(vector.fields) as FieldsOf<MessageType>;
    const frames = encode(vector.id, vector.type as MessageType, fields, arrays as MessageArrays<MessageType>);
    expect(hex(frames)).toEqual(vector.frames);
  });

  test("whatever the order that fields and arrays are given in", () => {
    const vector = messageVectors.find(({ name }) => name === "train with weights and micro-batches");
    if (vector === undefined) throw new Error("the vector is gone");
    const turned = (entries: [string, unknown][]) => Object.fromEntries(entries.reverse());
    const fields = turned(Object.entries(inCamelCase(vector.fields) as object));
    const arrays = turned(vector.arrays.map((array) => [camelKey(array.name), wireArray(array)]));
    const frames = encode(vector.id, "train", fields as FieldsOf<"train">, arrays as MessageArrays<"train">);
    expect(hex(frames)).toEqual(vector.frames);
  });
});

describe("refuses what is damaged with the code of the first check", () => {
  test.each(damagedVectors.map((vector) => [vector.name, vector] as const))("%s", (_, { frames, code }) => {
    expect(codeOf(frames.map(frame))).toBe(code);
  });

  test("however deep it is nested", () => {
    const envelope = (inner: Buffer) =>
      Buffer.concat([
        Buffer.from("87a776657273696f6e01a2696401a474797065a56572726f72", "hex"), // version, id, type: "error"
        Buffer.from("a4636f6465a0a76d657373616765a0a764657461696c7381a161", "hex"), // code, message, details: {a:
        inner,
        Buffer.from("a661727261797390", "hex"), // arrays: []
      ]);
    const outcomes = new Set<string>();
    for (const level of ["91", "81a161"]) {
      for (let depth = 100; depth < 12_000; depth += 100) {
        outcomes.add(codeOf([envelope(Buffer.concat([Buffer.from(level.repeat(depth), "hex"), Buffer.from([0xc0])]))]));
      }
    }
    expect(outcomes).toEqual(new Set(["accepted", "bad_message"]));
  });
});

describe("arrays", () => {
  const vector = messageVectors.find(({ name }) => name === "train");
  if (vector === undefined) throw new Error("the vector is gone");
  const [header, indices, ...others] = vector.frames.map(frame);

  test("are views into frames that are aligned", () => {
    const { arrays } = decode([header, indices, ...others]) as { arrays: MessageArrays<"train"> };
    expect(arrays.indices.buffer).toBe(indices.buffer);
  });

  test("are copies of frames that are not", () => {
    const shifted = new Uint8Array(indices.byteLength + 1);
    shifted.set(indices, 1);
    const { arrays } = decode([header, shifted.subarray(1), ...others]) as { arrays: MessageArrays<"train"> };
    expect([...arrays.indices]).toEqual([3, 0, 4, 1, 2]);
  });

  test("that are part of a larger buffer send their own part", () => {
    const large = Uint32Array.of(9, 9, 3, 0, 4, 1, 2, 9);
    const frames = encode(
      1,
      "score",
      { session: "s", signals: ["loss"], batchSize: 1 },
      { indices: large.subarray(2, 7) },
    );
    expect(hex(frames)[1]).toBe(vector.frames[1]);
  });
});

test("names the field at fault as the wire does", () => {
  const damaged = damagedVectors.find(({ name }) => name === "true for an integer");
  expect(() => decode((damaged?.frames ?? []).map(frame))).toThrow(/^train message: .*first_step/);
});

// --- laws

const small = messageVectors.map(({ frames }) => frames.map(frame)).filter(([header]) => header.byteLength < 2000);
const edit = fc.record({
  kind: fc.constantFrom("flip", "drop", "insert"),
  at: fc.nat(2 ** 16),
  value: fc.nat(255),
});
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

function mutated(data: Uint8Array, edits: readonly Edit[]): Uint8Array {
  const bytes = [...data];
  for (const { kind, at, value } of edits) {
    const place = at % (bytes.length + 1);
    if (kind === "insert") bytes.splice(place, 0, value);
    else if (kind === "drop") bytes.splice(place, 1);
    else if (place < bytes.length) bytes[place] ^= value;
  }
  return Uint8Array.from(bytes);
}

test("a mutated message is understood or refused", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...small),
      fc.nat(16),
      fc.array(edit, { minLength: 1, maxLength: 4 }),
      (parts, which, edits) => {
        const at = which < parts.length ? which : 0; // most often the header
        const code = codeOf(parts.map((part, place) => (place === at ? mutated(part, edits) : part)));
        expect(code === "accepted" || isErrorCode(code)).toBe(true);
      },
    ),
    { numRuns: 5000, seed: 1 },
  );
});

test("rubbish is refused", () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 });
  fc.assert(
    fc.property(parts, (frames) => {
      expect(codeOf(frames)).not.toBe("accepted");
    }),
    { numRuns: 1000, seed: 1 },
  );
});

const text = fc.string({ unit: "binary", maxLength: 40 });
const int = fc.nat(2 ** 32 - 1);
const key = fc.stringMatching(/^[a-z][a-zA-Z]{0,8}$/).filter((name) => name !== "toJSON");
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.double({ noNaN: true }).filter((number) => !Object.is(number, -0)), // sent as the integer 0
    text,
    fc.array(tie("any"), { maxLength: 3 }),
    fc.dictionary(key, tie("any"), { maxKeys: 3, noNullPrototype: true }),
  ),
})).any;

test("train survives encoding and decoding", () => {
  const fields = fc.record({
    session: text,
    firstStep: int,
    sha256: fc.constant("0".repeat(64)),
    signals: fc.uniqueArray(fc.constantFrom(...SIGNALS), { minLength: 1 }),
    microBatch: fc.option(fc.integer({ min: 1, max: 2 ** 32 - 1 })),
    average: fc.option(
      fc.record({ fromStep: int, decay: fc.option(fc.constantFrom(2 ** -20, 0.5, 0.999)) }, { noNullPrototype: true }),
    ),
  });
  const arrays = fc.record(
    {
      indices: fc.uint32Array(),
      offsets: fc.uint32Array(),
      learningRates: fc.float64Array(),
      weights: fc.float32Array(),
    },
    { requiredKeys: ["indices", "offsets", "learningRates"] },
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 32 - 1 }), fields, arrays, (id, given, data) => {
      const message = decode(encode(id, "train", given as FieldsOf<"train">, data as MessageArrays<"train">));
      expect(message).toEqual({ type: "train", id, fields: given, arrays: data });
    }),
    { numRuns: 500, seed: 1 },
  );
});

test("images survive encoding and decoding, whatever their shape", () => {
  const images = fc.array(fc.nat(4), { minLength: 4, maxLength: 4 }).chain((shape) => {
    const length = shape.reduce((product, size) => product * size, 1);
    return fc.uint8Array({ minLength: length, maxLength: length }).map((values) => ({ shape, values }));
  });
  const fields = { session: "s", indicesSha256: "0".repeat(64) };
  fc.assert(
    fc.property(images, (given) => {
      expect(decode(encode(1, "images_ok", fields, { images: given })).arrays).toEqual({ images: given });
    }),
    { numRuns: 300, seed: 1 },
  );
});

test("error survives encoding and decoding, with whatever is in its details", () => {
  const fields = fc.record({
    code: text,
    message: text,
    details: fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true }),
  });
  fc.assert(
    fc.property(int, fields, (id, given) => {
      expect(decode(encode(id, "error", given, {}))).toEqual({ type: "error", id, fields: given, arrays: {} });
    }),
    { numRuns: 500, seed: 1 },
  );
});
