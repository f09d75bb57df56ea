import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { z } from "zod";
import { Interrupted } from "../../src/errors.js";
import { PythonPeer } from "../../src/process/python-peer.js";

const directory = mkdtempSync(join(tmpdir(), "ibatch-test-"));
const peers: PythonPeer[] = [];
afterEach(async () => {
  await Promise.all(peers.splice(0).map((peer) => peer.end()));
});

/** A peer that is a shell script in the place of Python. */
function start(script: string, signal = new AbortController().signal): PythonPeer {
  const python = join(directory, `python-${peers.length}`);
  writeFileSync(python, `#!/bin/sh\n${script}\n`);
  chmodSync(python, 0o755);
  const peer = new PythonPeer({ python, packageRoot: directory, module: "peer", threads: 1, signal });
  peers.push(peer);
  return peer;
}

const number = z.strictObject({ n: z.number() });

test("questions are answered one after another by one process", async () => {
  const peer = start(`n=0; while read line; do n=$((n + 1)); echo "{\\"ok\\": {\\"n\\": $n}}"; done`);
  expect(await peer.ask({ do: "count" }, number)).toEqual({ n: 1 });
  expect(await peer.ask({ do: "count" }, number)).toEqual({ n: 2 });
});

test("what it refuses is the user's to put right", async () => {
  const peer = start(
    `read line; echo '{"refused": {"code": "no_device", "message": "there is no cuda:9"}}'; read line`,
  );
  await expect(peer.ask({}, number)).rejects.toMatchObject({ kind: "usage", message: "there is no cuda:9" });
});

test("one that ends instead is told with what it said last", async () => {
  const peer = start("read line; echo 'ValueError: no such layer' >&2; exit 1");
  await expect(peer.ask({}, number)).rejects.toThrow(/^peer ended \(.*\): exit code 1; its last lines: ValueError: no/);
});

test("what is missing is said by its own words", async () => {
  const peer = start("echo 'peer: no torch' >&2; exit 4");
  await expect(peer.ask({}, number)).rejects.toMatchObject({ kind: "surroundings", message: "peer: no torch" });
});

test("a Python that is not there is named", async () => {
  const { signal } = new AbortController();
  const peer = new PythonPeer({ python: "/no/python", packageRoot: directory, module: "peer", threads: 1, signal });
  await expect(peer.ask({}, number)).rejects.toThrow(
    "Python at /no/python cannot be started: there is no such program",
  );
});

test("a signal ends the waiting, and the end leaves nothing of it", async () => {
  const stopping = new AbortController();
  const peer = start("sleep 1000 & echo $! > pid; wait", stopping.signal);
  const asked = peer.ask({}, number);
  stopping.abort();
  await expect(asked).rejects.toBeInstanceOf(Interrupted);
  await peer.end();
  await expect(peer.ask({}, number)).rejects.toThrow();
});

test.sequential("the folder goes", () => {
  rmSync(directory, { recursive: true });
});
