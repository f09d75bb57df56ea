// What stands in for Python does as Python does, by the same lines.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { coldPython, warmPython } from "./python.js";
import { startWarmPython } from "./start.js";

const seen = (python: string, args: string[], env: Record<string, string> = {}, input = "") => {
  const { status, signal, stdout, stderr } = spawnSync(python, args, {
    encoding: "utf8",
    input,
    cwd: tmpdir(),
    env: { ...process.env, ...env },
  });
  return { status, signal, stdout, lastLine: stderr.trimEnd().split("\n").at(-1) };
};

describe("a fork is like a Python of its own", () => {
  test.each([
    ["in what it is told", ["-c", "import sys, os; print(sys.argv, os.getcwd(), os.environ['WHO'])", "a", "b"]],
    ["in what it reads", ["-c", "print(input())"]],
    ["in how it is asked to end", ["-c", "raise SystemExit(7)"]],
    ["in how it fails", ["-c", "raise ValueError('x')"]],
    ["in the signal that it dies of", ["-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]],
    ["in its modules, by name", ["-m", "mine", "c"]],
  ])("%s", (_, args) => {
    const directory = mkdtempSync(join(tmpdir(), "ibatch-test-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    writeFileSync(join(directory, "mine.py"), "import sys; print(__name__, sys.argv)");
    const env = { WHO: "me", PYTHONPATH: directory };
    expect(seen(warmPython, args, env, "a line\n")).toEqual(seen(coldPython, args, env, "a line\n"));
  });
});

/** Starts one that says its process number, and waits. */
async function waiting(lines: string) {
  const child = spawn(warmPython, [
    "-c",
    `import os, signal, time\n${lines}\nprint(os.getpid(), flush=True)\ntime.sleep(600)`,
  ]);
  const [pid] = await once(child.stdout, "data");
  return { child, pid: Number(pid) };
}

test("a signal reaches it", async () => {
  const { child } = await waiting("signal.signal(signal.SIGTERM, lambda *_: os._exit(9))");
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([9, null]);
});

test("it goes with who stands in for it", async () => {
  const { child, pid } = await waiting("");
  const isThere = () => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  expect(isThere()).toBe(true);
  child.kill("SIGKILL");
  await expect.poll(isThere).toBe(false);
});

test.skipIf(warmPython === coldPython).each([
  ["says nothing", []],
  ["ends within the length", [100, 0]],
  ["ends within its request", [100, 0, 0, 0, 123]],
])("a client that %s leaves the others theirs", async (_, bytes) => {
  const client = connect(join(dirname(warmPython), "socket"));
  client.end(Buffer.from(bytes));
  await once(client.resume(), "close");
  expect(seen(warmPython, ["-c", "print(1)"])).toMatchObject({ status: 0, stdout: "1\n" });
});

test.each([
  ["/bin/false", "exit code 1"],
  ["/no/python", "spawn /no/python ENOENT"],
])("%s does not become ready, and is not waited for", async (python, why) => {
  await expect(startWarmPython(python)).rejects.toThrow(`(${python}) ended before it was ready: ${why}`);
});
