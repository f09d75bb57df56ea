/** The real backend, once: started, greeted, lost, stopped. Python is that of IBATCH_PYTHON or .venv. */
import { type BinaryLike, createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Backend, type BackendOptions, openBackend } from "../../src/backend/backend.js";
import { BackendLost } from "../../src/backend/errors.js";
import { Interrupted } from "../../src/errors.js";
import { findPython } from "../../src/process/find-python.js";
import { fakePython, isThere } from "../process/fake-python.js";
import { FakeBackend, introduction } from "./fake-backend.js";

let directory: string;
let python: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "ibatch-test-"));
  // Notes its process number, says something, and is Python from then on.
  python = fakePython(
    directory,
    `echo $$ > "${directory}/pid"; echo hello; echo world >&2`,
    `exec "${findPython(undefined)}" "$@"`,
  );
  vi.stubEnv("TMPDIR", directory);
});

afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

const open = (url?: string, changes: Partial<BackendOptions> = {}): Promise<Backend> =>
  openBackend({
    url,
    python,
    device: "cpu",
    threads: 1,
    listen: "ipc",
    startSeconds: 60,
    heartbeat: { everySeconds: 1, limitSeconds: 30 },
    stallSeconds: null,
    signal: new AbortController().signal,
    ...changes,
  });

const request = {
  dataDir: null,
  model: { origin: "catalogue", name: "mnist-cnn", options: {} },
  loss: null,
  optimizer: { name: "sgd", options: {} },
  augmentation: { crop: 0, flip: false },
  precision: "float32",
  channelsLast: "auto",
  equalBits: false,
  fast: true,
  seed: 0,
  modelSeed: null,
  owner: null,
} as const;

const pid = (): number => Number(readFileSync(join(directory, "pid"), "utf8"));
const socketDirectories = (): string[] => readdirSync(directory).filter((name) => name.startsWith("ibatch-"));

test("it starts, introduces itself, can be attached to, and stops leaving nothing behind", async () => {
  const backend = await open();
  const { introduction } = backend.client;
  expect(introduction).toMatchObject({ device: "cpu", threads: 1 });
  expect(introduction.catalogue.models.map(({ name }) => name)).toContain("mnist-cnn");
  const dropout = introduction.catalogue.models[0].options.convDropout;
  expect(dropout).toMatchObject({ type: "float", default: 0.3, minimum: 0, maximum: 0.99 });

  const attached = await open(introduction.workEndpoint.replace(/\.work$/, ""));
  await expect(attached.client.control("status", { session: null })).resolves.toMatchObject({
    fields: { state: "idle", sessionOpen: false, peakBytes: expect.toSatisfy((bytes: number) => bytes > 2 ** 24) },
  });
  await attached.stop();
  expect(isThere(pid())).toBe(true);

  await expect(backend.client.work("close", { session: "none" }, {})).rejects.toMatchObject({
    code: "unknown_session",
  });
  expect(socketDirectories()).toHaveLength(1);
  await backend.stop();
  expect(isThere(pid())).toBe(false);
  expect(socketDirectories()).toEqual([]);
});

test("the state of a session goes out and comes back into one that its owner opened in its place", async () => {
  const backend = await open();
  const dataset = { origin: "catalogue", name: "digits", options: {} } as const;
  const opening = { ...request, dataset, optimizer: { name: "adam", options: {} }, owner: "ours" };
  const sessionOf = async () => (await backend.client.work("open", opening, {})).fields.session;
  const indices = Uint32Array.of(5, 0, 3, 9);
  const offsets = Uint32Array.of(0, 2, 4);
  const learningRates = Float64Array.of(0.01, 0.02);
  const hashOf = (...arrays: BinaryLike[]) => {
    const hash = createHash("sha256");
    for (const array of arrays) hash.update(array);
    return hash.digest("hex");
  };
  const lossesAt = async (session: string, firstStep: number) => {
    const asked = { session, firstStep, sha256: hashOf(indices, offsets, learningRates), signals: ["loss" as const] };
    const arrays = { indices, offsets, learningRates };
    return (await backend.client.work("train", { ...asked, microBatch: null, average: null }, arrays)).arrays.loss;
  };
  try {
    const session = await sessionOf();
    const [, saved, expected] = await Promise.all([
      lossesAt(session, 0),
      backend.client.work("save", { session, step: 2, part: 0 }, {}),
      lossesAt(session, 2),
    ]);
    const { bytes } = saved.arrays;
    expect(saved.fields).toMatchObject({
      step: 2,
      parts: 1,
      totalBytes: bytes.length,
      notices: [],
      sha256: hashOf(bytes),
    });
    const load = { session: await sessionOf(), step: 2, part: 0, parts: 1, sha256: hashOf(bytes) };
    const damaged = bytes.slice(0, -1);
    await expect(
      backend.client.work("load", { ...load, sha256: hashOf(damaged) }, { bytes: damaged }),
    ).rejects.toMatchObject({ code: "bad_state", kind: "run" });
    const loaded = await backend.client.work("load", load, { bytes });
    expect(loaded.fields.session).not.toBe(load.session);
    expect(await lossesAt(loaded.fields.session, 2)).toEqual(expected);
  } finally {
    await backend.stop();
  }
});

test("when it is killed, what waits is rejected with how it ended and what it said last", async () => {
  const backend = await open();
  process.kill(pid(), "SIGSTOP"); // so that nothing is answered any more
  const waiting = [
    backend.client.work("close", { session: "s" }, {}),
    backend.client.control("ping", { session: null }),
  ];
  const lost = waiting.map((asked) =>
    expect(asked).rejects.toMatchObject({
      constructor: BackendLost,
      kind: "run",
      message: expect.stringMatching(
        /^the backend ended: signal SIGKILL; its last lines: (hello \| world|world \| hello)$/,
      ),
    }),
  );
  process.kill(pid(), "SIGKILL");
  await Promise.all(lost);
  await expect(backend.client.control("status", { session: null })).rejects.toThrow(BackendLost);
  await backend.stop();
  expect(socketDirectories()).toEqual([]);
});

test("one that hangs in a user's code is ended, and where it hung is told", async () => {
  writeFileSync(join(directory, "hanging.py"), "import time\ntime.sleep(3600)\n");
  const userCode = { allowImport: ["hanging"], pythonPath: [directory] };
  const heartbeat = { everySeconds: 0.1, limitSeconds: 30 };
  const backend = await open(undefined, { userCode, heartbeat, stallSeconds: 1 });
  const options = { args: "{}", testArgs: null, load: "auto", workers: 0 };
  const fields = { ...request, dataset: { origin: "import", name: "hanging:load", options } } as const;
  await expect(backend.client.work("open", fields, {})).rejects.toMatchObject({
    constructor: BackendLost,
    message: `the backend made no progress for 1 s (backend.stallSeconds): it hung in ${directory}/hanging.py, line 2, at its import`,
  });
  expect(backend.client.isLost).toBe(true);
  await backend.stop();
  expect(isThere(pid())).toBe(false);
  expect(socketDirectories()).toEqual([]);
});

test.each([
  ["os._exit(3)", /^the backend ended: exit code 3; its last lines: .*py_backend: importing ending for ending:load$/],
  [
    "ctypes.string_at(0)",
    /^the backend ended: signal SIGSEGV in .*\/ending.py, line 2, at its import, which called .* in string_at; its last lines: .*py_backend: importing ending for ending:load \| Fatal Python error: Segmentation fault$/,
  ],
])("one that a user's module ends at its import with %s says which", async (statement, message) => {
  writeFileSync(join(directory, "ending.py"), `import ctypes, os\n${statement}\n`);
  const backend = await open(undefined, { userCode: { allowImport: ["ending"], pythonPath: [directory] } });
  const options = { args: "{}", testArgs: null, load: "auto", workers: 0 };
  const fields = { ...request, dataset: { origin: "import", name: "ending:load", options } } as const;
  const opening = backend.client.work("open", fields, {});
  const told = expect(opening).rejects.toMatchObject({ message: expect.stringMatching(message) });
  await opening.catch(() => backend.stop());
  await told;
});

test("where nothing listens, nothing is waited for", async () => {
  await expect(open(`ipc://${directory}/nobody`, { startSeconds: 0.4 })).rejects.toMatchObject({
    kind: "surroundings",
    message: expect.stringMatching(/^nothing listens at ipc:.*\/nobody \(ENOENT\): /),
  });
});

describe("one that was started and does not get as far as its greeting", () => {
  /** Says that it listens where nobody does, and then what the lines say. */
  const mute = (before: string, after: string): string => {
    const own = mkdtempSync(join(directory, "mute-"));
    const ready = `{"control": "ipc://${own}/nobody", "work": "", "pid": 1}`;
    return fakePython(own, `echo $$ > "${directory}/pid"`, before, `echo '${ready}' >&3; exec 3>&-`, after);
  };

  test("because it dies: told at once, with its last lines, and not after startSeconds", async () => {
    const dying = mute("echo 'no memory' >&2", "exit 9");
    await expect(open(undefined, { python: dying, startSeconds: 100_000 })).rejects.toMatchObject({
      kind: "surroundings",
      message: "the backend cannot start: exit code 9; its last lines: no memory",
    });
    expect(socketDirectories()).toEqual([]);
  });

  test("because the user stops it: Interrupted, and nothing is left", async () => {
    const stopping = new AbortController();
    const said = (line: string) => line === "greet me" && stopping.abort();
    const opening = open(undefined, {
      python: mute("", "echo 'greet me' >&2; cat"),
      startSeconds: 100_000,
      signal: stopping.signal,
      onOutput: said,
    });
    await expect(opening).rejects.toBeInstanceOf(Interrupted);
    expect(isThere(pid())).toBe(false);
    expect(socketDirectories()).toEqual([]);
  });

  test("because the user had stopped it before: nothing is started", async () => {
    const nowhere = join(directory, "nowhere");
    await expect(open(undefined, { python: nowhere, signal: AbortSignal.abort() })).rejects.toBeInstanceOf(Interrupted);
  });
});

describe("a backend that runs already and is not as was asked for is refused", () => {
  test.each<[Partial<BackendOptions>, string | undefined]>([
    [{ device: "auto", threads: "auto" }, undefined],
    [{ device: "cuda", threads: 8 }, undefined],
    [{ device: "cuda:0", threads: 8 }, undefined],
    [
      { device: "cpu", threads: 8 },
      "computes on cuda:0, cpu was asked for: start that backend with --device cpu, " +
        "or leave the device to it (backend.device=auto)",
    ],
    [
      { device: "auto", threads: 1 },
      "computes with 8 threads, 1 were asked for: start that backend with --threads 1, " +
        "or leave them to it (backend.threads=auto)",
    ],
  ])("%j", async (changes, expected) => {
    const fake = await FakeBackend.start();
    const opening = open(fake.control.endpoint, changes);
    const hello = await fake.control.next();
    await hello.answer("hello_ok", { ...introduction(fake.work.endpoint), device: "cuda:0", threads: 8 });
    if (expected === undefined) await (await opening).stop();
    else {
      await expect(opening).rejects.toMatchObject({
        kind: "usage",
        message: `backend ${fake.control.endpoint} ${expected}`,
      });
    }
    fake.stop();
  });
});
