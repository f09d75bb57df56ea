/** A few hundred of what `npm run chaos -- --only fuzz,crowd` sends by the hundred thousand: nothing of it moves a bit of a run. */
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Router } from "zeromq";
import { fuzzBackend } from "../../chaos/fuzz/backend-side.mjs";
import { fuzzController } from "../../chaos/fuzz/controller-side.mjs";
import { Crowd } from "../../chaos/fuzz/crowd.mjs";
import { messageAt } from "../../chaos/fuzz/messages.mjs";
import { fuzzSessions, OPEN } from "../../chaos/fuzz/sessions.mjs";
import { type Served, startServed } from "../../chaos/wire/served.mjs";
import { Channel } from "../../src/backend/channel.js";
import { encode } from "../../src/backend/codec.js";
import { credentialsFor } from "../../src/launch/credentials.js";
import { temporaryDirectory } from "../experiment/scene.js";
import { hasNoPython } from "../warm-python/missing.js";
import { warmPython } from "../warm-python/python.js";

const SEED = 19;
let folder: string;
let served: Served | undefined;

const serve = async (listen: string) => {
  served = await startServed({ python: warmPython, folder, listen });
  return served;
};

beforeEach(() => {
  folder = temporaryDirectory();
  mkdirSync(join(folder, "t"));
});
afterEach(async () => {
  await served?.stop();
  served = undefined;
});

it("makes each message from its seed and number alone", () => {
  const all = Array.from({ length: 200 }, (_, number) => messageAt(SEED, "backend", number));
  expect(new Set(all.map(({ how }) => how))).toEqual(new Set(["bytes", "messagepack", "damaged", "changed"]));
  expect(messageAt(SEED, "backend", 77)).toEqual(all[77]);
  expect(messageAt(SEED + 1, "backend", 77)).not.toEqual(all[77]);
  expect(all.every(({ frames }) => frames.length > 0)).toBe(true);
});

it("takes no harm as a controller", async () => {
  const faults = await fuzzController({ endpoint: `ipc://${join(folder, "h")}`, seed: SEED, first: 0, count: 400 });
  expect(faults).toEqual([]);
});

it("names the message that met a bug", async () => {
  const router = new Router({ linger: 0 });
  const endpoint = `ipc://${join(folder, "r")}`;
  await router.bind(endpoint);
  const answering = (async () => {
    for await (const [sender] of router) {
      await router.send([sender, ...encode(0, "error", { code: "internal", message: "KeyError", details: {} }, {})]);
    }
  })();
  const faults = await fuzzBackend({ control: endpoint, work: endpoint, seed: SEED, first: 5, count: 3 });
  router.close();
  await answering;
  expect([...faults].sort()).toEqual([
    "message 5 to work was answered by a bug: KeyError",
    "message 6 to control was answered by a bug: KeyError",
    "message 7 to work was answered by a bug: KeyError",
  ]);
});

/** Losses of six batches, with something done between the third and the fourth. */
async function losses(work: string, between: () => Promise<void>): Promise<unknown[]> {
  const channel = new Channel(work, credentialsFor(work));
  try {
    const { session } = (await channel.request("open", OPEN, {})).fields;
    const seen: unknown[] = [];
    for (let step = 0; step < 6; step++) {
      if (step === 3) await between();
      const arrays = {
        indices: Uint32Array.of(step, step + 7, step + 20, step + 50),
        offsets: Uint32Array.of(0, 4),
        learningRates: Float64Array.of(0.01),
      };
      const digest = createHash("sha256");
      for (const array of Object.values(arrays)) digest.update(array);
      const fields = { session, firstStep: step, sha256: digest.digest("hex") };
      const how = { signals: ["loss" as const], microBatch: null, average: null };
      seen.push((await channel.request("train", { ...fields, ...how }, arrays)).arrays.loss);
    }
    await channel.request("close", { session }, {});
    return seen;
  } finally {
    channel.close();
  }
}

const nothing = async () => {};

it.skipIf(hasNoPython())("takes no harm as a backend, and trains on to the bit", async () => {
  const { endpoint: control, work } = await serve(`ipc://${join(folder, "b")}`);
  const expected = await losses(work, nothing);
  const faults: string[] = [];
  const seen = await losses(work, async () => {
    faults.push(...(await fuzzBackend({ control, work, seed: SEED, first: 0, count: 400 })));
  });
  faults.push(...(await fuzzSessions({ control, work, seed: SEED, first: 0, count: 300 })));
  expect(faults).toEqual([]);
  expect(seen).toEqual(expected);
  expect(await losses(work, nothing)).toEqual(expected);
});

it.skipIf(hasNoPython())("trains to the bit among 300 peers that say nothing, or little", async () => {
  const { work, ports } = await serve("tcp://127.0.0.1:0");
  const expected = await losses(work, nothing);
  let crowd: Crowd | undefined;
  const seen = await losses(work, async () => {
    crowd = await Crowd.gather(ports, 300);
  });
  expect(crowd?.standing).toBeGreaterThan(200);
  crowd?.end();
  expect(seen).toEqual(expected);
});
