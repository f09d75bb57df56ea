/** The real backend, once: started, greeted, lost, stopped. Python is that of IBATCH_PYTHON or .venv. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Backend, openBackend } from "../../src/backend/backend.js";
import { BackendLost } from "../../src/backend/errors.js";
import { findPython } from "../../src/backend/python.js";
import { fakePython, isThere } from "./fake-python.js";

let directory: string;
let python: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "ibatch-test-"));
  // Notes its process number, and is Python from then on.
  python = fakePython(directory, `echo $$ > "${directory}/pid"`, `exec "${findPython(undefined)}" "$@"`);
  vi.stubEnv("TMPDIR", directory);
});

afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

const open = (url?: string): Promise<Backend> =>
  openBackend({
    url,
    python,
    device: "cpu",
    threads: 1,
    listen: "ipc",
    startSeconds: 60,
    heartbeat: { everySeconds: 1, limitSeconds: 30 },
  });

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
  await expect(attached.client.control("status", {})).resolves.toMatchObject({
    fields: { state: "idle", session: null },
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

test("when it is killed, what waits is rejected with how it ended", async () => {
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
      message: expect.stringMatching(/^the backend ended: signal SIGKILL/),
    }),
  );
  process.kill(pid(), "SIGKILL");
  await Promise.all(lost);
  await expect(backend.client.control("status", {})).rejects.toThrow(BackendLost);
  await backend.stop();
  expect(socketDirectories()).toEqual([]);
});
