// Messages of chance: bytes, MessagePack of any kind, and those of the test vectors, with bytes damaged or fields changed. Each is
// a function of seed, side and its number alone, so that one which does harm can be made again.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Packr } from "msgpackr";
import { Random } from "../random.mjs";

const packr = new Packr({ useRecords: false, variableMapSize: true });
/** Vectors for limits have frames of a gigabyte. */
const MOST_VECTOR_BYTES = 1 << 16;
const MOST_DAMAGES = 3;
const MOST_DEPTH = 4;

const VECTORS = ["messages", "damaged"].flatMap((name) =>
  JSON.parse(readFileSync(new URL(`../../test/vectors/${name}.json`, import.meta.url), "utf8"))
    .filter(({ frames }) => frames.length > 0)
    .filter(({ frames }) => frames.every((frame) => typeof frame === "string" && frame.length < MOST_VECTOR_BYTES))
    .map(({ frames }) => frames.map((hex) => Buffer.from(hex, "hex"))),
);
/** Those whose header is a map. */
const REQUESTS = VECTORS.filter(([header]) => {
  try {
    const read = packr.unpack(header);
    return typeof read === "object" && read !== null && Object.keys(read).length > 0 && !ArrayBuffer.isView(read);
  } catch {
    return false;
  }
});
/** What real headers say, so that some checks are passed. */
const WORDS = [
  "version",
  "id",
  "type",
  "arrays",
  "session",
  "signals",
  "name",
  "dtype",
  "shape",
  "indices",
  "loss",
  "u32",
  "train",
];

/** The frames of a message, at least one, and how they were made. `session`: one that is open, which some name. */
export function messageAt(seed, side, number, session) {
  const random = new Random(seed, "fuzz", side, number);
  const how = random.pick(["bytes", "messagepack", "damaged", "damaged", "changed", "changed"]);
  const frames = MAKE[how](random, session);
  return { how, frames: frames.length > 0 ? frames : [Buffer.alloc(0)] };
}

const MAKE = {
  bytes: (random) => Array.from({ length: 1 + random.below(4) }, () => bytes(random, random.below(300))),
  messagepack: (random) => [packr.pack(header(random)), ...MAKE.bytes(random).slice(random.below(4))],
  damaged: (random) => {
    let frames = random.pick(VECTORS).map((frame) => Buffer.from(frame));
    for (let left = 1 + random.below(MOST_DAMAGES); left > 0 && frames.length > 0; left--)
      frames = random.pick(DAMAGES)(frames, random);
    return frames;
  },
  changed: (random, session) => {
    const [first, ...arrays] = random.pick(REQUESTS);
    const header = packr.unpack(first);
    if (session !== undefined && Object.hasOwn(header, "session")) header.session = session;
    if (session !== undefined && Object.hasOwn(header, "sha256")) header.sha256 = sha256(arrays);
    for (let left = random.below(MOST_DAMAGES); left > 0; left--) change(header, random);
    return [packr.pack(header), ...(random.below(3) === 0 ? ofArrays(arrays, random) : arrays)];
  },
};

const ofArrays = (arrays, random) =>
  arrays.length === 0 ? arrays : ofOne(arrays, random, (frame) => flipped(Buffer.from(frame), random));

const sha256 = (parts) => createHash("sha256").update(Buffer.concat(parts)).digest("hex");

/** Another value somewhere in it, or none. */
function change(inner, random) {
  const key = random.pick(Object.keys(inner));
  const old = inner[key];
  const isNested = typeof old === "object" && old !== null && !ArrayBuffer.isView(old) && Object.keys(old).length > 0;
  if (isNested && random.below(4) > 0) return change(old, random);
  if (random.below(8) === 0) delete inner[key];
  else inner[key] = typeof old === "number" && random.below(2) === 0 ? random.pick(EDGES) : value(random, 2);
}

const EDGES = [0, 1, -1, 2, 7, 255, 256, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53, 0.5, 1e-300];

/** Each takes frames, of which there is one at least, and gives those that are left. */
const DAMAGES = [
  (frames, random) => ofOne(frames, random, (frame) => flipped(frame, random)),
  (frames, random) => ofOne(frames, random, (frame) => flipped(frame, random)),
  (frames, random) => ofOne(frames, random, (frame) => frame.subarray(0, random.below(frame.length + 1))),
  (frames, random) => ofOne(frames, random, (frame) => Buffer.concat([frame, bytes(random, 1 + random.below(9))])),
  (frames, random) => ofOne(frames, random, (frame) => frame.subarray(random.below(frame.length + 1))),
  (frames, random) => ofOne(frames, random, (frame) => spliced(frame, random)),
  (frames, random) => frames.toSpliced(random.below(frames.length), 1),
  (frames, random) => frames.toSpliced(random.below(frames.length), 0, random.pick(frames)),
  (frames, random) => frames.toSorted(() => random.next() - 0.5),
  (frames, random) => [frames[0], ...random.pick(VECTORS).slice(1)],
  (frames) => Array.from({ length: 20 }, () => frames.at(-1)),
];

const ofOne = (frames, random, damage) => {
  const at = random.below(frames.length);
  return frames.with(at, damage(frames[at]));
};

function flipped(frame, random) {
  for (let left = frame.length === 0 ? 0 : 1 + random.below(4); left > 0; left--)
    frame[random.below(frame.length)] ^= 1 << random.below(8);
  return frame;
}

function spliced(frame, random) {
  const [other] = random.pick(VECTORS);
  return Buffer.concat([
    frame.subarray(0, random.below(frame.length + 1)),
    other.subarray(random.below(other.length + 1)),
  ]);
}

const bytes = (random, length) => Buffer.from(Array.from({ length }, () => random.below(256)));

/** Half of them look like one. */
function header(random) {
  if (random.below(2) === 0) return value(random, 0);
  const type = random.pick(["ping", "status", "train", "score", "save", "load", "status_ok", "score_ok", "error"]);
  const arrays = random.below(2) === 0 ? [] : value(random, 1);
  return { version: 1, id: 1 + random.below(3), type, ...(random.below(2) === 0 ? map(random, 1) : {}), arrays };
}

function value(random, depth) {
  const kind = random.below(depth < MOST_DEPTH ? 9 : 7);
  if (kind === 0) return null;
  if (kind === 1) return random.below(2) === 0;
  if (kind === 2) return random.below(2 ** 32) - 2 ** 31;
  if (kind === 3) return random.pick([0, -0, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 1e300, 2 ** 64]);
  if (kind === 4) return random.pick(WORDS);
  if (kind === 5) return bytes(random, random.below(40)).toString("latin1");
  if (kind === 6) return bytes(random, random.below(40));
  return kind === 7 ? Array.from({ length: random.below(6) }, () => value(random, depth + 1)) : map(random, depth + 1);
}

const map = (random, depth) =>
  Object.fromEntries(Array.from({ length: random.below(6) }, () => [random.pick(WORDS), value(random, depth)]));
