import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { BackendProcess, type BackendProcessOptions, NO_USER_CODE } from "../../src/backend/backend-process.js";
import { Interrupted } from "../../src/errors.js";
import { findPython } from "../../src/process/find-python.js";
import { fakePython, isThere, until } from "../process/fake-python.js";

const READY = `echo '{"control": "ipc:///somewhere", "work": "ipc:///somewhere.work", "pid": 1}' >&3; exec 3>&-`;
let directory: string;
const exitListeners = process.listenerCount("exit");

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ibatch-test-"));
  vi.stubEnv("TMPDIR", directory); // where socket directories are made: none may be left
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

const start = (python: string, changes: Partial<BackendProcessOptions> = {}): Promise<BackendProcess> =>
  BackendProcess.start({
    python,
    packageRoot: directory,
    device: "cpu",
    threads: 3,
    listen: "ipc",
    userCode: NO_USER_CODE,
    startSeconds: 30,
    signal: new AbortController().signal,
    ...changes,
  });

const socketDirectories = (): string[] => readdirSync(directory).filter((name) => name.startsWith("ibatch-"));

/** A fake that writes its process number down before it does what the lines say. */
const noted = (...lines: string[]): string => fakePython(directory, `echo $$ > "${directory}/pid"`, ...lines);
const notedPid = (): number => Number(readFileSync(join(directory, "pid"), "utf8"));

describe("starting", () => {
  test("says how to start, and reads the endpoint from a channel of its own", async () => {
    const python = fakePython(
      directory,
      `echo "$@" > "${directory}/arguments"`,
      `echo "$OMP_NUM_THREADS $PYTHONPATH" > "${directory}/environment"`,
      READY,
      "cat",
    );
    vi.stubEnv("PYTHONPATH", "/theirs");
    const child = await start(python, { listen: "tcp://127.0.0.1:7777", device: "cuda:1" });
    expect(child.controlEndpoint).toBe("ipc:///somewhere");
    expect(readFileSync(join(directory, "arguments"), "utf8")).toBe(
      "-m py_backend --child --ready-fd 3 --listen tcp://127.0.0.1:7777 --device cuda:1 --threads 3\n",
    );
    expect(readFileSync(join(directory, "environment"), "utf8")).toBe(`3 ${directory}:/theirs\n`);
    await child.stop({ asked: false });
    expect(isThere(child.pid)).toBe(false);
  });

  test("ipc is a path of its own in a directory that only we may enter", async () => {
    const python = fakePython(
      directory,
      `shift 6; ls -ld "$(dirname "\${1#ipc://}")" > "${directory}/listed"`,
      READY,
      "cat",
    );
    const child = await start(python);
    expect(readFileSync(join(directory, "listed"), "utf8")).toMatch(/^drwx------/);
    expect(socketDirectories()).toHaveLength(1);
    await child.stop({ asked: false });
    expect(socketDirectories()).toEqual([]);
  });

  test.each([
    [2, "usage"],
    [4, "surroundings"],
  ])("exit code %i with a line says that line, as a matter of %s", async (code, kind) => {
    const python = fakePython(
      directory,
      "echo 'a warning' >&2",
      "echo 'py_backend: it is missing' >&2",
      `exit ${code}`,
    );
    await expect(start(python)).rejects.toMatchObject({ kind, message: "the backend cannot start: it is missing" });
    expect(socketDirectories()).toEqual([]);
  });

  test("another end says how, and the last lines", async () => {
    await expect(start(fakePython(directory, "echo one >&2", "echo two >&2", "exit 7"))).rejects.toMatchObject({
      kind: "surroundings",
      message: "the backend cannot start: exit code 7; its last lines: one | two",
    });
    await expect(start(fakePython(directory, "kill -9 $$"))).rejects.toMatchObject({
      message: "the backend cannot start: signal SIGKILL",
    });
    await expect(start(fakePython(directory, "exit 0"))).rejects.toMatchObject({
      message: "the backend cannot start: exit code 0",
    });
    expect(socketDirectories()).toEqual([]);
  });

  test.each(["hello", "[1]", "null", '{"work": "x"}', '{"control": 5}'])(
    "%s where its endpoints are due is refused",
    async (line) => {
      const python = noted(`echo '${line}' >&3`, "exec sleep 60");
      await expect(start(python)).rejects.toMatchObject({
        kind: "surroundings",
        message: `the backend said something else than its endpoints when it was ready: ${line}`,
      });
      await until(() => !isThere(notedPid()));
      expect(socketDirectories()).toEqual([]);
    },
  );

  test("one that never gets ready is killed after startSeconds", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const python = noted("exec sleep 60");
    const started = expect(start(python, { startSeconds: 5 })).rejects.toMatchObject({
      kind: "surroundings",
      message: `the backend did not start within 5 s (${python})`,
    });
    await until(() => existsSync(join(directory, "pid")) && notedPid() > 0);
    vi.advanceTimersByTime(5000);
    await started;
    await until(() => !isThere(notedPid()));
    expect(socketDirectories()).toEqual([]);
  });

  test("the user stops it: Interrupted, with the script and what it started gone", async () => {
    const stopping = new AbortController();
    // A script that does not hand over to Python by exec: both must go.
    const python = noted("sleep 60 &", `echo $! > "${directory}/inner"`, "echo 'started' >&2", "wait");
    const starting = start(python, { signal: stopping.signal, onOutput: () => stopping.abort() });
    await expect(starting).rejects.toBeInstanceOf(Interrupted);
    expect(isThere(notedPid())).toBe(false);
    await until(() => !isThere(Number(readFileSync(join(directory, "inner"), "utf8"))));
    expect(socketDirectories()).toEqual([]);
    expect(process.listenerCount("exit")).toBe(exitListeners);
  });

  test("looks for modules in the package, never in the user's directory; the user's own paths become absolute", async () => {
    const packageRoot = mkdtempSync(join(directory, "package-"));
    const python = fakePython(directory, `echo "$(pwd) $PYTHONPATH" > "${directory}/where"`, READY, "cat");
    vi.stubEnv("PYTHONPATH", "here:/there");
    const child = await start(python, { packageRoot });
    expect(readFileSync(join(directory, "where"), "utf8")).toBe(
      `${packageRoot} ${packageRoot}:${join(process.cwd(), "here")}:/there\n`,
    );
    await child.stop({ asked: false });
  });

  test("tells each line of standard output and error as it comes, before it is ready and after", async () => {
    const lines: string[] = [];
    const python = fakePython(
      directory,
      "echo printed; echo one >&2",
      READY,
      "cat > /dev/null",
      "echo two >&2; echo bye",
    );
    const child = await start(python, { onOutput: (line) => lines.push(line) });
    await child.stop({ asked: true });
    expect(lines.toSorted()).toEqual(["bye", "one", "printed", "two"]);
  });

  test("one that hangs is asked where, and that is told when its time is up", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    // A Python that hangs in a sitecustomize, which is imported before anything of ours.
    writeFileSync(join(directory, "sitecustomize.py"), 'open("begun", "w").close()\nimport time\ntime.sleep(600)\n');
    const python = findPython(undefined);
    const started = expect(start(python, { startSeconds: 5 })).rejects.toMatchObject({
      kind: "surroundings",
      message:
        `the backend did not start within 5 s (${python}): ` +
        `it hangs in ${directory}/sitecustomize.py, line 3, at its import`,
    });
    await until(() => existsSync(join(directory, "begun")));
    vi.advanceTimersByTime(5000);
    await started;
  });

  test("a Python that is not there, or not a program", async () => {
    const circle = join(directory, "circle");
    symlinkSync(circle, circle); // which Node throws for, where it has an event for the others
    for (const python of [join(directory, "nowhere"), directory, circle]) {
      await expect(start(python)).rejects.toMatchObject({
        kind: "surroundings",
        message: expect.stringContaining(`Python at ${python} cannot be started: `),
      });
    }
    expect(socketDirectories()).toEqual([]);
  });
});

test("when this process ends at once, the child is killed and its socket's directory goes", async () => {
  const child = await start(noted(READY, "exec sleep 60"));
  expect(socketDirectories()).toHaveLength(1);
  for (const listener of process.listeners("exit").slice(exitListeners)) listener(130);
  expect((await child.ended).how).toBe("signal SIGKILL");
  expect(socketDirectories()).toEqual([]);
  await child.stop({ asked: false });
});

describe("stopping", () => {
  /** Reads its standard input to the end, as a backend does. */
  const POLITE = [READY, "cat > /dev/null"];
  /** Heeds nothing but SIGKILL. */
  const STUBBORN = ["trap '' TERM", READY, "while :; do sleep 0.02; done"];

  test("one that was asked ends by itself, and leaves nothing behind", async () => {
    const child = await start(fakePython(directory, ...POLITE, "echo bye >&2", "exit 3"));
    await child.stop({ asked: true });
    expect(await child.ended).toEqual({ how: "exit code 3", said: ["bye"] });
    expect(isThere(child.pid)).toBe(false);
    expect(socketDirectories()).toEqual([]);
  });

  test("one that could not be asked is terminated at once", async () => {
    const child = await start(fakePython(directory, READY, "exec sleep 60"));
    await child.stop({ asked: false });
    expect((await child.ended).how).toBe("signal SIGTERM");
  });

  test.each([
    [true, 5000 + 3000],
    [false, 3000],
  ])("one that heeds nothing (asked: %s) is killed after %i ms", async (asked, milliseconds) => {
    const child = await start(fakePython(directory, ...STUBBORN));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    let stopped = false;
    const stopping = child.stop({ asked }).then(() => {
      stopped = true;
    });
    await vi.advanceTimersByTimeAsync(milliseconds - 1);
    expect(isThere(child.pid)).toBe(true);
    expect(stopped).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await stopping;
    expect((await child.ended).how).toBe("signal SIGKILL");
    expect(vi.getTimerCount()).toBe(0);
    expect(socketDirectories()).toEqual([]);
  });

  test("one that is gone already, and twice", async () => {
    const child = await start(fakePython(directory, READY, "exit 1"));
    expect((await child.ended).how).toBe("exit code 1");
    await child.stop({ asked: true });
    await child.stop({ asked: false });
    expect(socketDirectories()).toEqual([]);
  });

  test("keeps the last lines of standard error, not all", async () => {
    const python = fakePython(directory, READY, "for i in $(seq 1 500); do echo $i >&2; done", "exit 1");
    const child = await start(python);
    const { said } = await child.ended;
    expect(said).toHaveLength(40);
    expect([said[0], said.at(-1)]).toEqual(["461", "500"]);
    await child.stop({ asked: false });
  });
});
