import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { BackendOptions } from "../../src/backend/backend.js";
import { BackendError, BackendLost } from "../../src/backend/errors.js";
import { Interrupted, surroundingsError } from "../../src/errors.js";
import { runExperiment } from "../../src/launch/run-experiment.js";
import { FakeBackend, type Pretence } from "../experiment/fake-backend.js";
import { temporaryDirectory } from "../experiment/scene.js";
import { ibatch } from "./run-main.js";

const opened = vi.hoisted(() => ({ openBackend: vi.fn() }));
vi.mock("../../src/backend/backend.js", () => opened);
beforeEach(() => {
  vi.stubEnv("IBATCH_PYTHON", "/nowhere/python"); // the statistics are not what is tested here
});
afterEach(() => {
  vi.resetAllMocks();
  vi.unstubAllEnvs();
});

const CONFIG = `name: small
dataset: digits
model: mnist-cnn
optimizer: sgd
schedule: { name: constant, learningRate: 0.1 }
batching: { name: constant, size: 5 }
epochs: 1
seeds: 1
backend: { device: cpu, threads: 1 }
arms:
  frozen: { order: frozen }
  shuffled: { order: shuffled }
`;

/** `ibatch run` on a backend that only pretends. */
async function run(argv: readonly string[], pretence: Pretence = {}, directory = temporaryDirectory()) {
  const config = join(directory, "small.yaml");
  const out = join(directory, "out");
  writeFileSync(config, CONFIG);
  const client = new FakeBackend(pretence);
  const stop = vi.fn(async () => {});
  opened.openBackend.mockImplementationOnce(async ({ onOutput }: BackendOptions) => {
    onOutput?.("a warning");
    const stopLoudly = async () => {
      onOutput?.("bye");
      await stop();
    };
    return { client, stop: stopLoudly };
  });
  const said = await ibatch("run", config, "--out", out, ...argv);
  return { ...said, client, stop, out, read: (name: string) => readFileSync(join(out, name), "utf8") };
}

test("ends with the table and where it was recorded, and stops the backend", async () => {
  const { code, stdout, stop, out, read } = await run(["--quiet"]);
  expect(code).toBe(0);
  expect(stdout).toBe(`\n${read("table.md")}\nRecorded in ${out}\nReport: ${join(out, "report.html")}\n`);
  expect(read("table.md")).toMatch(/^small: test set after 1 epoch, seed 0\n\n\| arm +\| test accuracy, % \|/);
  expect(stop).toHaveBeenCalledOnce();
  expect(existsSync(join(out, "lock"))).toBe(false);
});

test("on a terminal no line of it is wider than that, and it says where the whole is", async () => {
  const { isTTY, columns } = process.stdout;
  onTestFinished(() => void Object.assign(process.stdout, { isTTY, columns }));
  Object.assign(process.stdout, { isTTY: true, columns: 40 });
  const { stdout, out, read } = await run(["--quiet"]);
  const lines = stdout.split("\n").filter((line) => !line.includes(out));
  expect(lines.filter((line) => line.length > 40 && line.includes(" "))).toEqual([]);
  expect(lines).toContain("Whole tables: table.md there");
  expect(
    Math.max(
      ...read("table.md")
        .split("\n")
        .map((line) => line.length),
    ),
  ).toBeGreaterThan(40);
});

test("progress goes to standard error, a line a run; --quiet silences it, --json prints the summary alone", async () => {
  const plain = await run([]);
  const line = (run: string) =>
    `\\[${run} {2}started\n\\[${run} {2}done: epoch 1/1, train loss 0\\.\\d{4}, test accuracy 50\\.00 %\n`;
  expect(plain.stderr).toMatch(new RegExp(`^${line("1/2\\] frozen, seed 0")}${line("2/2\\] shuffled, seed 0")}$`));
  const json = await run(["--quiet", "--json"]);
  expect(json.stderr).toBe("");
  expect(JSON.parse(json.stdout)).toEqual(JSON.parse(json.read("summary.json")));
});

test.each([
  ["2", [0, 0, 1, 1]],
  ["0,1,5", [0, 0, 1, 1, 5, 5]],
  ["7,", [7, 7]],
])("--seeds %s", async (seeds, expected) => {
  const { client } = await run(["--quiet", "--seeds", seeds]);
  expect(client.sentOf("open").map(({ fields }) => fields.seed)).toEqual(expected);
});

test("the data directory is --data, else IBATCH_DATA, else ./data; absolute, for a backend that we start", async () => {
  const dataDir = async (...argv: string[]) =>
    (await run(["--quiet", ...argv])).client.sentOf("open")[0].fields.dataDir;
  vi.stubEnv("IBATCH_DATA", undefined);
  expect(await dataDir()).toBe(join(process.cwd(), "data"));
  vi.stubEnv("IBATCH_DATA", "/from/env");
  expect(await dataDir()).toBe("/from/env");
  expect(await dataDir("--data", "here")).toBe(join(process.cwd(), "here"));
  expect(await dataDir("--data", "there", "--backend", "tcp://127.0.0.1:1")).toBe("there");
});

test("the backend is opened as config and command line say; the command line wins", async () => {
  await run(["--quiet", "--set", "backend.chunkBatches=3"]);
  expect(opened.openBackend.mock.lastCall?.[0]).toMatchObject({ device: "cpu", threads: 1, listen: "ipc" });
  await run(["--quiet", "--device", "cuda:1", "--python", "/p"]);
  expect(opened.openBackend.mock.lastCall?.[0]).toMatchObject({ device: "cuda:1", threads: 1, python: "/p" });
  await run(["--quiet", "--device", "cuda:1", "--backend", "tcp://127.0.0.1:1"]);
  expect(opened.openBackend.mock.lastCall?.[0]).toMatchObject({ device: "cuda:1", url: "tcp://127.0.0.1:1" });
});

test("what the backend says on its standard error is in log.txt, from its start on", async () => {
  const { read } = await run(["--quiet"], {
    before({ type, fields }) {
      const { onOutput } = opened.openBackend.mock.lastCall?.[0] ?? {};
      if (type === "open" && fields.seed === 0) onOutput("Traceback (most recent call last):");
    },
  });
  expect(read("log.txt")).toMatch(
    /^\S+Z backend: a warning\n(.*\n)*\S+Z backend: Traceback \(most recent call last\):\n(.*\n)*\S+Z backend: bye\n$/,
  );
});

describe.skipIf(process.platform !== "linux")("a disk that is full for log.txt", () => {
  /** Talks while it trains; its log is on a full disk from the start. */
  const talking = (out: string): Pretence => ({
    before({ type }) {
      if (type === "open") {
        rmSync(join(out, "log.txt"), { force: true });
        symlinkSync("/dev/full", join(out, "log.txt"));
      } else opened.openBackend.mock.lastCall?.[0].onOutput("a warning");
    },
  });

  test("costs no run where only the backend's lines are lost, and that is said", async () => {
    const directory = temporaryDirectory();
    const config = join(directory, "small.yaml");
    const out = join(directory, "out");
    writeFileSync(config, CONFIG);
    const client = new FakeBackend(talking(out));
    opened.openBackend.mockImplementationOnce(async () => ({ client, stop: async () => {} }));
    const onWarning = vi.fn();
    const { summary } = await runExperiment(config, { out, onWarning });
    expect(summary.arms.map(({ done }) => done)).toEqual([1, 1]);
    expect(onWarning.mock.calls).toEqual([[expect.stringMatching(/^log\.txt lacks lines: the disk is full: /)]]);
  });

  test("ends the command at a line of its own: exit code 4, the backend stopped, no lock", async () => {
    const directory = temporaryDirectory();
    const { code, stderr, stop, out } = await run(["--quiet"], talking(join(directory, "out")), directory);
    expect(code).toBe(4);
    expect(stderr).toMatch(/\nibatch: the disk is full: \S+log\.txt cannot be written; .*\n$/);
    expect(stop).toHaveBeenCalledOnce();
    expect(existsSync(join(out, "lock"))).toBe(false);
  });
});

describe("what goes wrong", () => {
  test("in the config, is told before a backend is started", async () => {
    const { code, stderr } = await run(["--set", "epochs=0"]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: "ibatch: --set epochs=0: epochs: expected at least 1, not 0\n",
    });
    expect(opened.openBackend).not.toHaveBeenCalled();
  });

  test.each([
    [["--seeds", "abc"], '--seeds abc: seeds: expected a number, or a list, or a map, not "abc"'],
    [["--seeds", "1,1"], "--seeds 1,1: seeds names 1 twice"],
    [
      ["--python", "p", "--backend", "tcp://127.0.0.1:1"],
      "--python p: --backend tcp://127.0.0.1:1 runs already, with a Python of its own; leave one of them out",
    ],
    [["--device", "gpu"], '--device gpu: backend.device: expected auto, cpu or cuda:N, not "gpu"'],
  ])("on the command line, is told in the words that were typed: %j", async (argv, expected) => {
    const { code, stderr } = await run(argv);
    expect({ code, stderr }).toEqual({ code: 2, stderr: `ibatch: ${expected}\n` });
  });

  test("with a backend that cannot start: exit code 4, nothing is left behind", async () => {
    opened.openBackend.mockRejectedValueOnce(surroundingsError("no torch"));
    const { code, stderr, out } = await run([]);
    expect({ code, stderr }).toEqual({ code: 4, stderr: "ibatch: no torch\n" });
    expect(existsSync(out)).toBe(false);
  });

  test("with a backend that cannot start, on a terminal: the redrawn line goes before the message comes", async () => {
    const isTTY = process.stderr.isTTY;
    process.stderr.isTTY = true;
    onTestFinished(() => {
      process.stderr.isTTY = isTTY;
    });
    vi.stubEnv("NO_COLOR", undefined);
    vi.stubEnv("TERM", "xterm");
    opened.openBackend.mockRejectedValueOnce(surroundingsError("no torch"));
    const { stderr } = await run([]);
    const [before, ...after] = stderr.split("\u001b[2K"); // which ends the line
    expect(before).toContain("small: starting the backend …");
    expect(after.at(-1)).toMatch(/ibatch: no torch\n$/);
  });

  test("Ctrl-C while the backend starts: the signal gets there; exit code 130, one line", async () => {
    opened.openBackend.mockImplementationOnce(async ({ signal }: BackendOptions) => {
      process.emit("SIGINT");
      throw signal.aborted ? new Interrupted() : new Error("not told");
    });
    const { code, stderr, out } = await run([]);
    expect({ code, stderr }).toEqual({ code: 130, stderr: "ibatch: interrupted\n" });
    expect(existsSync(out)).toBe(false);
  });

  test("with missing data: exit code 4, and no run directory for nothing", async () => {
    const { code, stderr, out, stop } = await run(["--quiet"], {
      before({ type }) {
        if (type === "open") throw new BackendError("data_missing", "no files in /d");
      },
    });
    expect({ code, stderr }).toEqual({ code: 4, stderr: "ibatch: no files in /d\n" });
    expect(existsSync(out)).toBe(false);
    expect(stop).toHaveBeenCalledOnce();
  });

  test("in one run: exit code 3, and the table with what is there", async () => {
    const { code, stdout, stderr } = await run(["--quiet"], {
      before({ type, fields }) {
        if (type === "train" && fields.session === "s2") throw new BackendError("out_of_memory", "no room");
      },
    });
    expect(code).toBe(3);
    expect(stderr).toBe("ibatch: 1 run failed\n");
    expect(stdout).toContain("| 0 of 1, 1 failed |");
    expect(stdout).toContain("\nshuffled, seed 0 failed: in epoch 1: no room\n");
  });

  test("no other backend can be had in mid-experiment: the table with what is there, then exit code 4 and why", async () => {
    const lost = new BackendLost("the backend ended: exit code 9", []);
    const { code, stdout, stderr, read } = await run(["--quiet", "--seeds", "2"], {
      before({ type, fields }) {
        if (type !== "open" || fields.seed !== 1) return;
        opened.openBackend.mockRejectedValueOnce(surroundingsError("no GPU is left"));
        throw lost;
      },
    });
    expect({ code, stderr }).toEqual({ code: 4, stderr: "ibatch: no GPU is left\n" });
    expect(stdout).toContain(`\n${read("table.md")}\nRecorded in `);
    expect(stdout).toContain("| 1 of 2, 1 failed |");
    expect(stdout).toContain("\nshuffled, seed 1 failed: no GPU is left\n");
    expect(JSON.parse(read("summary.json"))).toMatchObject({
      arms: [
        { done: 1, failed: 1 },
        { done: 1, failed: 1 },
      ],
    });
    expect(read("report.html")).toMatch(/^<!doctype html>/);
  });

  test("runs that were not tried for want of a backend are told apart from those that failed", async () => {
    const args = ["--quiet", "--seeds", "3", "--set", "backend.restarts=0"];
    const dying: Pretence = {
      before({ type }) {
        if (type === "train") throw new BackendLost("the backend ended: exit code 9", []);
      },
    };
    opened.openBackend.mockImplementation(async () => ({ client: new FakeBackend(dying), stop: async () => {} }));
    const { code, stdout, stderr } = await run(args, dying);
    expect({ code, stderr }).toEqual({ code: 3, stderr: "ibatch: 3 runs failed, 3 runs were not begun\n" });
    expect(stdout).toContain("| 0 of 3, 2 failed, 1 not begun |");
    expect(stdout).toMatch(/^frozen, seed 2 not begun: 3 runs in a row lost their backend/m);
  });

  test("a diverged run is a result: exit code 0, told in the table", async () => {
    const { code, stdout } = await run(["--quiet"], { loss: (_, step) => (step === 3 ? Number.NaN : 1) });
    expect(code).toBe(0);
    expect(stdout).toContain("\nfrozen, seed 0 diverged at step 3\n");
  });

  test("Ctrl-C: exit code 130, one line that says how to go on; and the same command does", async () => {
    const directory = temporaryDirectory();
    const first = await run(
      ["--quiet"],
      {
        before({ type, fields }) {
          if (type === "train" && fields.session === "s2") process.emit("SIGINT");
        },
      },
      directory,
    );
    expect(first).toMatchObject({ code: 130, stdout: "" });
    expect(first.stderr).toBe(
      `ibatch: interrupted; what there is of it is in ${first.out}; give the same command again to go on\n`,
    );
    expect(first.stop).toHaveBeenCalledOnce();
    const second = await run([], {}, directory);
    expect(second.code).toBe(0);
    expect(second.stderr).toMatch(
      /^\[1\/2\] frozen, seed 0 {2}kept, done: .*\nshuffled, seed 0: was stopped without a checkpoint, and begins anew\n\[2\/2\] shuffled, seed 0 {2}started\n.* done: /,
    );
  });
});

describe("an --out that cannot be is told before a backend is started", () => {
  const told = async (out: string) => {
    const { code, stderr } = await run(["--quiet", "--out", out]);
    expect(opened.openBackend).not.toHaveBeenCalled();
    return { code, stderr };
  };
  const cannot = (path: string, reason: string) => ({
    stderr: `ibatch: ${reason}: ${path} cannot be written; mend that and give the same command again, or name another --out\n`,
  });

  test("a link that leads nowhere", async () => {
    const path = join(temporaryDirectory(), "link");
    symlinkSync("/nowhere/at/all", path);
    expect(await told(path)).toEqual({
      code: 4,
      ...cannot(path, `${path} is a link to /nowhere/at/all, which is not there`),
    });
  });

  test.skipIf(process.platform !== "linux")("below /proc", async () => {
    expect(await told("/proc/x")).toEqual({ code: 4, ...cannot("/proc/x", "no directory can be made in /proc") });
  });

  test("no name, and one that is too long", async () => {
    expect(await told("")).toEqual({ code: 2, stderr: 'ibatch: --out "": expected the name of a directory\n' });
    const path = join(temporaryDirectory(), "x".repeat(300));
    expect(await told(path)).toEqual({ code: 2, ...cannot(path, "the name is too long") });
  });

  test("somebody else's directory, another experiment's, and one that is in use", async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "notes.txt"), "mine");
    expect(await told(directory)).toMatchObject({ code: 2, stderr: expect.stringContaining("no experiment of ours") });
    expect(readdirSync(directory)).toEqual(["notes.txt"]);
    const used = temporaryDirectory();
    writeFileSync(join(used, "lock"), JSON.stringify({ pid: process.ppid, host: hostname() }));
    expect(await told(used)).toMatchObject({ code: 2, stderr: expect.stringContaining("is in use by process") });
  });
});

test("a backend that does not start leaves no directory, and an interrupted start names none", async () => {
  const directory = temporaryDirectory();
  opened.openBackend.mockReset();
  for (const error of [surroundingsError("no Python"), new Interrupted()]) {
    opened.openBackend.mockRejectedValueOnce(error);
    const config = join(directory, "small.yaml");
    writeFileSync(config, CONFIG);
    const { stderr } = await ibatch("run", config, "--out", join(directory, "out"));
    expect(stderr).toBe(`ibatch: ${error.message}\n`);
    expect(readdirSync(directory)).toEqual(["small.yaml"]);
  }
});

test("interrupted before anything is recorded: the directory, which goes again, is not named", async () => {
  const abort = () => process.emit("SIGINT");
  const { code, stderr, out } = await run([], {
    before({ type }) {
      if (type === "open") abort();
    },
  });
  expect({ code, stderr }).toEqual({ code: 130, stderr: expect.stringMatching(/ibatch: interrupted\n$/) });
  expect(existsSync(out)).toBe(false);
});

test("refuses a kept run of which an array is damaged, as report and export leave it out: exit code 2", async () => {
  const directory = temporaryDirectory();
  const { out } = await run(["--quiet"], {}, directory);
  const signal = join(out, "frozen", "seed-0", "signals", "loss", "0000.f32");
  const bytes = readFileSync(signal);
  bytes[3] ^= 1;
  writeFileSync(signal, bytes);
  const said = expect.stringMatching(new RegExp(`^ibatch: (left out: )?${signal} is damaged \\([^\n]*\n$`));
  const { code, stderr } = await run(["--quiet"], {}, directory);
  expect({ code, stderr }).toEqual({ code: 2, stderr: said });
  for (const options of [["report"], ["export", "--to", "csv"], ["export", "--to", "markdown"]]) {
    const told = await ibatch(options[0], out, ...options.slice(1));
    expect({ code: told.code, stderr: told.stderr }, options.join(" ")).toEqual({ code: 2, stderr: said });
  }
});
