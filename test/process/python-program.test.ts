import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Interrupted } from "../../src/errors.js";
import { type PythonProgram, runPython } from "../../src/process/python-program.js";
import { fakePython, isThere, until } from "./fake-python.js";

let directory: string;
const exitListeners = process.listenerCount("exit");

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ibatch-test-"));
});

afterEach(() => {
  vi.useRealTimers();
  rmSync(directory, { recursive: true, force: true });
});

/** A fake that writes its process number down before it does what the lines say. */
const noted = (...lines: string[]): string => fakePython(directory, `echo $$ > "${directory}/pid"`, ...lines);
const notedPid = (): number => Number(readFileSync(join(directory, "pid"), "utf8"));

const run = (python: string, changes: Partial<PythonProgram> = {}): Promise<string> =>
  runPython({
    python,
    packageRoot: directory,
    module: "py_backend.some",
    input: "",
    limitSeconds: 30,
    signal: new AbortController().signal,
    ...changes,
  });

test("gives it the input, and gives back all that it wrote", async () => {
  const input = `${"å".repeat(300_000)}\n`; // more than a pipe holds
  const python = fakePython(directory, `echo "$@; $OMP_NUM_THREADS $PYTHONPATH; $(pwd)"`, "cat");
  expect(await run(python, { input })).toBe(`-m py_backend.some; 1 ${directory}; ${directory}\n${input}`);
  expect(process.listenerCount("exit")).toBe(exitListeners);
});

test("one that does not read its input is none the worse", async () => {
  expect(await run(fakePython(directory, "exec 0<&-", "echo done"), { input: "x".repeat(1_000_000) })).toBe("done\n");
});

test("exit code 4 says its line, as a matter of surroundings", async () => {
  const python = fakePython(directory, "echo 'a warning' >&2", "echo 'py_backend.some: no scipy' >&2", "exit 4");
  await expect(run(python)).rejects.toMatchObject({ kind: "surroundings", message: "py_backend.some: no scipy" });
});

test("another end is our bug, with its last lines", async () => {
  const python = fakePython(directory, "echo half", "echo one >&2", "echo two >&2", "exit 2");
  await expect(run(python)).rejects.toMatchObject({
    kind: "bug",
    message: `py_backend.some failed (${python}): exit code 2; its last lines: one | two`,
  });
  await expect(run(fakePython(directory, "kill -9 $$"))).rejects.toMatchObject({
    message: `py_backend.some failed (${python}): signal SIGKILL`,
  });
});

test("a Python that is not there", async () => {
  const python = join(directory, "nowhere");
  await expect(run(python)).rejects.toMatchObject({
    kind: "surroundings",
    message:
      `Python at ${python} cannot be started: there is no such program: name one that has torch, or its environment's ` +
      "folder, with --python or IBATCH_PYTHON",
  });
  expect(process.listenerCount("exit")).toBe(exitListeners);
});

test("one that takes too long is killed, with what it started", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const python = noted("sleep 60 &", `echo $! > "${directory}/inner"`, `touch "${directory}/started"`, "wait");
  const ended = expect(run(python, { limitSeconds: 5 })).rejects.toMatchObject({
    kind: "surroundings",
    message: `py_backend.some did not end within 5 s (${python})`,
  });
  await until(() => existsSync(join(directory, "started")));
  vi.advanceTimersByTime(5000);
  await ended;
  expect(isThere(notedPid())).toBe(false);
  await until(() => !isThere(Number(readFileSync(join(directory, "inner"), "utf8"))));
  expect(vi.getTimerCount()).toBe(0);
});

test("the user stops it: Interrupted, and it is gone", async () => {
  const stopping = new AbortController();
  const ended = expect(run(noted("exec sleep 60"), { signal: stopping.signal })).rejects.toBeInstanceOf(Interrupted);
  await until(() => existsSync(join(directory, "pid")) && notedPid() > 0);
  stopping.abort();
  await ended;
  expect(isThere(notedPid())).toBe(false);
});

test("when this process ends at once, it is killed", async () => {
  const ended = expect(run(noted("exec sleep 60"))).rejects.toMatchObject({
    message: expect.stringContaining("signal SIGKILL"),
  });
  await until(() => existsSync(join(directory, "pid")) && notedPid() > 0);
  for (const listener of process.listeners("exit").slice(exitListeners)) listener(130);
  await ended;
});
