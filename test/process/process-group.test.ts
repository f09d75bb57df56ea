/** Whatever a user's code leaves behind, the end of its process is the end of it, and nobody waits. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ProcessGroup } from "../../src/process/process-group.js";
import { spawnPython } from "../../src/process/spawn.js";
import { fakePython, isThere, until } from "./fake-python.js";

let directory: string;
const strays: number[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ibatch-test-"));
});

afterEach(() => {
  vi.useRealTimers();
  for (const pid of strays.splice(0)) if (isThere(pid)) process.kill(pid, "SIGKILL");
  rmSync(directory, { recursive: true, force: true });
});

function start(...lines: string[]): ProcessGroup {
  const python = fakePython(directory, ...lines);
  const child = spawnPython({ python, packageRoot: directory, module: "m", args: [], threads: 1 });
  child.stderr?.resume();
  child.stdout?.resume();
  return new ProcessGroup(child);
}

/** The number that the process wrote into this file, once it has. */
async function pidIn(name: string): Promise<number> {
  const path = join(directory, name);
  await until(() => existsSync(path) && readFileSync(path, "utf8").endsWith("\n"));
  const pid = Number(readFileSync(path, "utf8"));
  strays.push(pid);
  return pid;
}

test("a child that ended took its group with it, which holds its standard error open", async () => {
  const group = start("sleep 600 &", `echo $! > "${directory}/inner"`, "exit 9");
  expect(await group.ended).toEqual({ code: 9, signal: null });
  const inner = await pidIn("inner");
  await until(() => !isThere(inner));
});

test("what heeds no SIGTERM goes with its group as well", async () => {
  const group = start(`(trap '' TERM; echo $$ > "${directory}/inner"; while :; do sleep 0.05; done) &`, "cat");
  await pidIn("inner");
  await group.stop({ asked: false });
  expect(await group.ended).toEqual({ code: null, signal: "SIGTERM" });
});

test.skipIf(process.platform !== "linux")("what left the group is out of reach, and is not waited for", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const group = start(`setsid sh -c 'echo $$ > "${directory}/left"; exec sleep 600' &`, `read line; exit 0`);
  const left = await pidIn("left");
  const gone = vi.fn();
  void group.ended.then(gone);
  const stopping = group.stop({ asked: true });
  await until(() => !isThere(group.pid));
  await until(() => vi.getTimerCount() === 2); // the wait for its end, and the one for its output
  expect(gone).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1000);
  await stopping;
  expect(gone).toHaveBeenCalledWith({ code: 0, signal: null });
  expect(isThere(left)).toBe(true);
});

test("a program that is not there ends as never started, and leaves no listener", async () => {
  const listeners = process.listenerCount("exit");
  const python = join(directory, "nowhere");
  const group = new ProcessGroup(spawnPython({ python, packageRoot: directory, module: "m", args: [], threads: 1 }));
  expect(await group.ended).toEqual({ notStarted: expect.objectContaining({ code: "ENOENT" }) });
  await group.stop({ asked: false });
  expect(process.listenerCount("exit")).toBe(listeners);
});
