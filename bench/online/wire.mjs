// The round trip of a step's frames to a Python process that sends them back: from here, and from Python.
import { join } from "node:path";
import { Dealer } from "zeromq";

const TRIPS = 2000;
const ROUNDS = 5;
/** Bytes of a header, and of indices, offsets, one rate and weights of a batch. */
const framesOf = (size) => [300, 4 * size, 8, 8, 4 * size];

/** Milliseconds, of each size in turn with Python's. */
export async function roundTrips(peer, folder) {
  const endpoint = `ipc://${join(folder, "echo")}`;
  await peer.ask({ do: "echo", endpoint });
  const sizes = [64, 128].map((size) => ({ size, ours: [], theirs: [] }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { size, ours, theirs } of sizes) {
      ours.push(...(await fromHere(endpoint, framesOf(size))));
      const { milliseconds } = await peer.ask({ do: "round_trips", endpoint, frames: framesOf(size), count: TRIPS });
      theirs.push(...milliseconds);
    }
  }
  return sizes;
}

async function fromHere(endpoint, frames) {
  const socket = new Dealer({ linger: 0 });
  socket.connect(endpoint);
  const parts = frames.map((size) => new Uint8Array(size));
  const times = [];
  for (let trip = 0; trip < TRIPS; trip++) {
    const began = performance.now();
    await socket.send(parts);
    await socket.receive();
    times.push(performance.now() - began);
  }
  socket.close();
  return times;
}
