import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { addressOf, controlEndpointOf, untilListening } from "../../src/backend/endpoint.js";
import { Interrupted } from "../../src/errors.js";
import { temporaryDirectory } from "../experiment/scene.js";

describe("an endpoint", () => {
  test.each([
    ["tcp://127.0.0.1:5555", { host: "127.0.0.1", port: 5555, family: 4 }],
    ["tcp://localhost:1", { host: "localhost", port: 1, family: 4 }],
    ["tcp://[::1]:65535", { host: "::1", port: 65535, family: 6 }],
    ["tcp://10.0.0.1:5555", { host: "10.0.0.1", port: 5555, family: 4 }],
    ["tcp://gpu-1.example.org:1", { host: "gpu-1.example.org", port: 1, family: 4 }],
    ["ipc:///tmp/x/control", { path: "/tmp/x/control" }],
  ])("%s is an address", (endpoint, address) => {
    expect(addressOf(endpoint)).toEqual(address);
  });

  test.each([
    "tcp://127.0.0.1",
    "tcp://:5555",
    "tcp://*:5555",
    "http://127.0.0.1:1",
    "127.0.0.1:5555",
    "tcp://127.0.0.1:65536",
    "",
  ])("%j is not an endpoint to go to", async (endpoint) => {
    await expect(untilListening(endpoint, { ...asked, seconds: 1 })).rejects.toMatchObject({
      kind: "usage",
      message: `backend ${endpoint}: expected ipc://PATH or tcp://HOST:PORT`,
    });
  });
});

const asked = { signal: new AbortController().signal, how: "a command" };

/** A server that says nothing; its port. */
async function listen(server: Server = createServer((socket) => void socket.on("error", () => {}))): Promise<number> {
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** A port at which nothing listens any more. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test.each([
  ["tcp://there:5556", "tcp://there:5555"],
  ["tcp://[::1]:5556", "tcp://[::1]:5555"],
  ["ipc:///a/b.work", "ipc:///a/b"],
  ["ipc:///a/b", "ipc:///a/b"],
])("whose work is at %s is asked at %s", (work, control) => {
  expect(controlEndpointOf(work)).toBe(control);
});

test("where something listens, there is nothing to wait for", async () => {
  const onWaiting = vi.fn();
  await untilListening(`tcp://127.0.0.1:${await listen()}`, { ...asked, seconds: 60, onWaiting });
  expect(onWaiting).not.toHaveBeenCalled();
});

test("where nothing does, that is told with what to do", async () => {
  const endpoint = `tcp://127.0.0.1:${await freePort()}`;
  await expect(untilListening(endpoint, { ...asked, seconds: 0.4 })).rejects.toMatchObject({
    kind: "surroundings",
    message:
      `nothing listens at ${endpoint} (ECONNREFUSED): start a backend there with a command, or name another one by ` +
      "--backend",
  });
  const path = join(temporaryDirectory(), "control");
  await expect(untilListening(`ipc://${path}`, { ...asked, seconds: 0.4 })).rejects.toMatchObject({
    message: expect.stringContaining(`nothing listens at ipc://${path} (ENOENT): `),
  });
});

test("one that comes meanwhile is found; that it is waited for is told once", async () => {
  const port = await freePort();
  const server = createServer();
  onTestFinished(() => void server.close());
  const onWaiting = vi.fn(() => void server.listen(port, "127.0.0.1"));
  await untilListening(`tcp://127.0.0.1:${port}`, { ...asked, seconds: 60, onWaiting });
  expect(onWaiting).toHaveBeenCalledOnce();
});

test("the user stops the wait", async () => {
  const stopping = new AbortController();
  const waiting = untilListening(`tcp://127.0.0.1:${await freePort()}`, {
    ...asked,
    seconds: 3600,
    signal: stopping.signal,
  });
  stopping.abort();
  await expect(waiting).rejects.toBeInstanceOf(Interrupted);
});
