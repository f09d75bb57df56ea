// A damaged record is said alike by every command that reads it: its name, one line, exit code 2.
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { BackendError } from "../../src/backend/errors.js";
import { FakeBackend, type Pretence } from "../experiment/fake-backend.js";
import { CONFIG, temporaryDirectory } from "../experiment/scene.js";
import { ibatch } from "./run-main.js";

const opened = vi.hoisted(() => ({ openBackend: vi.fn() }));
vi.mock("../../src/backend/backend.js", () => opened);
beforeEach(() => void vi.stubEnv("IBATCH_PYTHON", "/nowhere/python"));
afterEach(() => {
  vi.resetAllMocks();
  vi.unstubAllEnvs();
});

function pretend(pretence: Pretence = {}): void {
  opened.openBackend.mockImplementation(async () => ({ client: new FakeBackend(pretence), stop: async () => {} }));
}

const whole = mkdtempSync(join(tmpdir(), "ibatch-test-"));
let made: Promise<void> | undefined;

/** Runs the experiment in `whole`, within the first test that asks for it. */
async function make(): Promise<void> {
  writeFileSync(join(whole, "small.yaml"), CONFIG);
  writeFileSync(join(whole, "replaying.yaml"), CONFIG.replace("order: frozen", "order: { replay: ./out/frozen }"));
  pretend();
  expect((await ibatch("run", join(whole, "small.yaml"), "--out", join(whole, "out"), "--quiet")).code).toBe(0);
}
afterAll(() => rmSync(whole, { recursive: true }));

/** A finished experiment in `out`, and a config that replays its arm `frozen`: a copy of what was run once. */
async function recorded() {
  made ??= make();
  await made;
  const directory = temporaryDirectory();
  cpSync(whole, directory, { recursive: true, preserveTimestamps: true });
  pretend();
  const [config, replaying, out] = ["small.yaml", "replaying.yaml", "out"].map((name) => join(directory, name));
  return { directory, config, replaying, out };
}
type Recorded = Awaited<ReturnType<typeof recorded>>;

const COMMANDS: Readonly<Record<string, (where: Recorded) => string[]>> = {
  report: ({ out }) => ["report", out],
  "report elsewhere": ({ out, directory }) => ["report", out, "--out", join(directory, "page.html")],
  "export --to csv": ({ out }) => ["export", out, "--to", "csv"],
  "export --to markdown": ({ out }) => ["export", out, "--to", "markdown"],
  "export --to torch": ({ out }) => ["export", out, "--to", "torch"],
  "export --to metrics": ({ out }) => ["export", out, "--to", "metrics"],
  run: ({ config, out }) => ["run", config, "--out", out, "--quiet"],
  "run of another arm": ({ config, out }) => [
    "run",
    config,
    "--out",
    out,
    "--quiet",
    "--set",
    "arms={shuffled: {order: shuffled}}",
  ],
  "run that replays it": ({ replaying, directory }) => ["run", replaying, "--quiet", "--out", join(directory, "new")],
  "validate that replays it": ({ replaying, directory }) => ["validate", replaying, "--out", join(directory, "new")],
};

const RUN = "frozen/seed-0";
const DAMAGES: Readonly<Record<string, (out: string) => string>> = {
  "a digit of its metrics": (out) => {
    const path = join(out, RUN, "metrics.jsonl");
    writeFileSync(path, readFileSync(path, "utf8").replace('"epoch":0', '"epoch":9'));
    return path;
  },
  "a directory in the place of its run.json": (out) => {
    const path = join(out, RUN, "run.json");
    rmSync(path);
    mkdirSync(path);
    return path;
  },
  "an order cut off": (out) => {
    const path = join(out, RUN, "orders", "0000.u32");
    truncateSync(path, 8);
    return path;
  },
  "a file in its place": (out) => {
    const path = join(out, RUN);
    renameSync(path, join(out, "..", "aside"));
    writeFileSync(path, "mine");
    return path;
  },
  "a link of its arm that leads nowhere": (out) => {
    const path = join(out, "frozen");
    renameSync(path, join(out, "..", "aside"));
    symlinkSync("/nowhere/at/all", path);
    return path;
  },
};

describe.each(Object.entries(DAMAGES))("a run that is damaged, %s", (_, damage) => {
  test.each(Object.entries(COMMANDS))("%s", async (_name, command) => {
    const where = await recorded();
    const path = damage(where.out);
    const { code, stderr } = await ibatch(...command(where));
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(path) });
    expect(stderr).not.toContain("bug");
    for (const line of stderr.trimEnd().split("\n")) expect(line).toMatch(/^ibatch: /);
  });
});

test("damage that comes while the experiment runs", async () => {
  const directory = temporaryDirectory();
  const out = join(directory, "out");
  pretend({
    before({ type, fields }) {
      if (type === "open" && fields.seed === 1) DAMAGES["an order cut off"](out);
    },
  });
  writeFileSync(join(directory, "small.yaml"), CONFIG);
  const { code, stderr } = await ibatch("run", join(directory, "small.yaml"), "--out", out, "--quiet");
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(join(out, RUN)) });
});

test("damage says more than a run that failed: the same command does not mend it", async () => {
  const where = await recorded();
  DAMAGES["an order cut off"](where.out);
  pretend({
    before({ type }) {
      if (type === "train") throw new BackendError("out_of_memory", "no room");
    },
  });
  const arms = "arms={shuffled: {order: shuffled}, other: {order: homogeneous}}";
  expect((await ibatch("run", where.config, "--out", where.out, "--quiet", "--set", arms)).code).toBe(2);
});
