// Backends that answer at once: they keep the wire's rules, train nothing, and make losses up. One process hosts many.
//   node bench/scale/backends.mjs FOLDER FIRST COUNT N
import { createHash, randomUUID } from "node:crypto";
import { writeSync } from "node:fs";
import { join } from "node:path";
import { Router } from "zeromq";
import { decode, encode } from "../../dist/backend/codec.js";
import { catalogue } from "./catalogue.mjs";

const CLASSES = 10;
const TEST_COUNT = 1_000;
/** Bytes of a state that it gives for a checkpoint. */
const STATE_BYTES = 1 << 20;
const HASH = "d".repeat(64);

const [folder, first, count, n] = process.argv.slice(2).map((text, at) => (at === 0 ? text : Number(text)));
const DATA = {
  labels: Uint32Array.from({ length: n }, (_, index) => index % CLASSES),
  testLabels: Uint32Array.from({ length: TEST_COUNT }, (_, index) => index % CLASSES),
  classNames: new TextEncoder().encode(JSON.stringify(Array.from({ length: CLASSES }, (_, label) => `${label}`))),
};
const HERE = {
  device: "cpu",
  deviceName: "pretence",
  threads: 1,
  versions: { python: "3", torch: "2" },
  platform: "none",
};

/** All that lasts of a backend between messages: its session. */
class PretendedBackend {
  #session;
  #seed = 0;
  #step = 0;

  constructor(workEndpoint) {
    this.introduction = {
      ...HERE,
      instance: randomUUID(),
      backendVersion: "0",
      workEndpoint,
      precisions: { float32: "" },
      limits: { headerBytes: 1, messageBytes: 1, frames: 1, sessions: 1 },
      catalogue,
    };
  }

  answer({ type, fields, arrays }) {
    const session = this.#session;
    switch (type) {
      case "hello":
        return { fields: this.introduction };
      case "ping":
        return { fields: { instance: this.introduction.instance } };
      case "status":
        return {
          fields: { state: "idle", sessionOpen: session !== undefined, step: this.#step, secondsSinceProgress: 0 },
        };
      case "cancel":
        return { fields: { working: false } };
      case "open":
        return this.#open(fields);
      case "train":
        return this.#train(arrays, fields);
      case "score":
      case "evaluate":
        return {
          fields: { session, indicesSha256: sha256(arrays.indices), seconds: 0 },
          arrays: signalsOf(fields, arrays, 0),
        };
      case "images":
        return this.#images(arrays);
      case "save":
        return this.#save(fields);
      case "close":
        this.#session = undefined;
        return { fields: {} };
      default:
        throw new Error(`${type} is not answered here`);
    }
  }

  #open({ seed }) {
    this.#session = randomUUID();
    this.#seed = seed;
    this.#step = 0;
    return {
      fields: {
        ...HERE,
        session: this.#session,
        instance: this.introduction.instance,
        n,
        testCount: TEST_COUNT,
        inputShape: [1, 28, 28],
        parameterCount: 10,
        dataSha256: HASH,
        initialWeightsSha256: `${seed}`.padStart(64, "e"),
        settings: {
          memoryFormat: "contiguous",
          precision: "float32",
          deterministic: true,
          dropout: [],
          batchNormLayers: 0,
        },
        leastBatchSize: 1,
        imports: [],
        code: [],
        edited: [],
        notices: [],
      },
      arrays: DATA,
    };
  }

  #train(arrays, fields) {
    const batchesDone = arrays.learningRates.length;
    this.#step = fields.firstStep + batchesDone;
    const { session, firstStep } = fields;
    return {
      fields: { session, firstStep, batchesDone, indicesSha256: sha256(arrays.indices), seconds: 0 },
      arrays: signalsOf(fields, arrays, this.#seed + firstStep),
    };
  }

  #images({ indices }) {
    return {
      fields: { session: this.#session, indicesSha256: sha256(indices) },
      arrays: { images: { shape: [indices.length, 28, 28, 1], values: new Uint8Array(indices.length * 784) } },
    };
  }

  #save({ step, part }) {
    const bytes = new Uint8Array(STATE_BYTES);
    const hash = createHash("sha256").update(bytes).digest("hex");
    return {
      fields: { session: this.#session, step, part, parts: 1, sha256: hash, totalBytes: bytes.length, notices: [] },
      arrays: { bytes },
    };
  }
}

/** Losses that differ, so that an order by them has something to do. */
function signalsOf({ signals }, { indices }, place) {
  const loss = Float32Array.from(indices, (index) => ((index * 7919 + place * 104_729) % 9973) / 9973 + 0.01);
  const all = {
    loss,
    correct: Uint8Array.from(indices, (index) => index % 2),
    prediction: indices.map((index) => index % CLASSES),
  };
  return Object.fromEntries(signals.map((name) => [name, all[name] ?? loss]));
}

const sha256 = (indices) =>
  createHash("sha256")
    .update(new Uint8Array(indices.buffer, indices.byteOffset, indices.byteLength))
    .digest("hex");

/** What came over the wire, and what went, by the type of what was asked. */
const bytes = {};

const bytesOf = (frames) => frames.reduce((sum, { byteLength }) => sum + byteLength, 0);

function tally(type, came, went) {
  bytes[type] ??= { messages: 0, came: 0, went: 0 };
  bytes[type].messages += 1;
  bytes[type].came += bytesOf(came);
  bytes[type].went += bytesOf(went);
}

async function serve(socket, backend) {
  for await (const [sender, ...frames] of socket) {
    const message = decode(frames);
    const { fields, arrays = {} } = backend.answer(message);
    const parts = encode(message.id, `${message.type}_ok`, fields, arrays);
    tally(message.type, frames, parts);
    await socket.send([sender, ...parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength))]);
  }
}

for (let number = first; number < first + count; number++) {
  const endpoint = `ipc://${join(folder, `${number}`)}`;
  const backend = new PretendedBackend(`${endpoint}.work`);
  for (const place of [endpoint, `${endpoint}.work`]) {
    const socket = new Router({ linger: 0 });
    await socket.bind(place);
    void serve(socket, backend);
  }
}
writeSync(1, "ready\n");
process.stdin
  .on("end", () => {
    writeSync(1, `${JSON.stringify(bytes)}\n`);
    process.exit();
  })
  .resume();
