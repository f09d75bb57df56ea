import { createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { ArrivingMemory } from "../../src/backend/arriving-memory.js";
import { Channel } from "../../src/backend/channel.js";
import { NO_CREDENTIALS } from "../../src/backend/credentials.js";
import { BackendLost } from "../../src/backend/errors.js";

/** Memory as the test says, and connections that are watched in it; `cut`: those that were ended, and why. */
function watching(limit: number, ...names: string[]) {
  const scene = { native: 1000, cut: [] as [string, number][] };
  const memory = new ArrivingMemory(limit, () => scene.native);
  const connections = names.map((name) => memory.watch((bytes) => scene.cut.push([name, bytes])));
  const grow = (bytes: number) => {
    scene.native += bytes;
    memory.look();
  };
  return { scene, connections, grow };
}

test("who delivers nothing while memory grows is ended, the newest first, until it grows no more", () => {
  const { scene, connections, grow } = watching(100, "old", "new");
  grow(60);
  expect(scene.cut).toEqual([]);
  grow(60);
  expect(scene.cut).toEqual([["new", 120]]);
  grow(-110); // it was that one
  grow(80);
  expect(scene.cut.length).toBe(1);
  grow(40);
  expect(scene.cut).toEqual([
    ["new", 120],
    ["old", 130],
  ]);
  for (const connection of connections) connection.end();
});

test("who delivers is not to blame, however much memory grows", () => {
  const { scene, connections, grow } = watching(100, "working");
  for (let times = 0; times < 10; times++) {
    connections[0].delivered();
    grow(90);
  }
  expect(scene.cut).toEqual([]);
  grow(90);
  grow(90);
  expect(scene.cut).toEqual([["working", 180]]);
});

test("who has ended is not looked at", () => {
  const { scene, connections, grow } = watching(100, "gone");
  connections[0].end();
  grow(1000);
  expect(scene.cut).toEqual([]);
});

const zmtp = (text: string) => Buffer.from(text, "latin1");
const GREETING = Buffer.concat([
  zmtp(`\xff${"\0".repeat(8)}\x7f\x03\0${"NULL".padEnd(20, "\0")}`),
  Buffer.alloc(32),
  zmtp("\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06ROUTER"),
]);
/** Of 1 MiB, and another one follows. */
const FRAME = Buffer.concat([zmtp("\x03\0\0\0\0\0\x10\0\0"), Buffer.alloc(2 ** 20)]);

/** Sends frames for as long as somebody takes them. */
function flood(socket: Socket): void {
  socket.on("error", () => {}); // it was cut
  socket.write(GREETING);
  const send = () => {
    while (!socket.destroyed) if (!socket.write(FRAME)) return void socket.once("drain", send);
  };
  socket.once("data", send);
}

test("a message without end from a backend is cut before it fills memory", async () => {
  const server = createServer(flood);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const before = process.memoryUsage.rss();
  const channel = new Channel(`tcp://127.0.0.1:${port}`, NO_CREDENTIALS, () => {}, new ArrivingMemory(50 * 2 ** 20));
  await expect(channel.request("status", { session: null }, {})).rejects.toThrow(BackendLost);
  expect(process.memoryUsage.rss() - before).toBeLessThan(2 ** 30);
  await expect(channel.request("status", { session: null }, {})).rejects.toThrow(
    /makes no message, and took 0\.\d GiB of memory here/,
  );
  channel.close();
  server.close();
});
