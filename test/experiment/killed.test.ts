// A small experiment is killed before each of its writes, and in the middle of each: whatever a kill can leave is read
// as what it is, and the same command goes on to the same bytes and leaves nothing over.
import { cpSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { BackendLost } from "../../src/backend/errors.js";
import { surroundingsError } from "../../src/errors.js";
import { runExperiment } from "../../src/launch/run-experiment.js";
import { readReportData } from "../../src/page/read.js";
import { shareOfTests } from "../full-size.js";
import { FakeBackend, type Pretence } from "./fake-backend.js";
import { temporaryDirectory } from "./scene.js";

/** What a kill is to a process: from here on, nothing that it does has an effect. */
class Killed extends Error {}

/** The disk of the command under way. `kill`: at which of its changes, and whether half of that is done. */
const disk = vi.hoisted(() => ({
  changes: [] as string[],
  kill: undefined as { at: number; torn: boolean } | undefined,
  isDead: false,
  life: 0,
}));

vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  type Change =
    | "openSync"
    | "writeSync"
    | "writeFileSync"
    | "appendFileSync"
    | "renameSync"
    | "linkSync"
    | "mkdirSync"
    | "rmSync"
    | "rmdirSync"
    | "truncateSync";
  const changing =
    (name: Change, half?: (args: unknown[]) => void) =>
    (...args: unknown[]) => {
      const act = () => Reflect.apply(fs[name], fs, args);
      if (disk.life === 0 || (name === "openSync" && (args[1] ?? "r") === "r")) return act();
      if (disk.isDead) throw new Killed();
      disk.changes.push(`${name} ${args[0]}`);
      if (disk.changes.length - 1 !== disk.kill?.at) return act();
      if (disk.kill.torn) half?.(args);
      disk.isDead = true;
      throw new Killed();
    };
  const halfOf = (data: unknown) =>
    typeof data === "string"
      ? data.slice(0, data.length / 2)
      : Buffer.from(data as Uint8Array).subarray(0, (data as Uint8Array).length / 2);
  return {
    ...fs,
    fsyncSync: () => {}, // what a power cut leaves cannot be tried here
    openSync: changing("openSync"),
    writeSync: changing("writeSync", ([file, text]) => void fs.writeSync(file as number, String(text).slice(0, 9))),
    writeFileSync: changing("writeFileSync", ([path, data]) => fs.writeFileSync(path as string, halfOf(data))),
    appendFileSync: changing("appendFileSync", ([path, data]) => fs.appendFileSync(path as string, halfOf(data))),
    renameSync: changing("renameSync"),
    linkSync: changing("linkSync"),
    mkdirSync: changing("mkdirSync"),
    rmSync: changing("rmSync"),
    rmdirSync: changing("rmdirSync"),
    truncateSync: changing("truncateSync"),
  };
});
// What is written while the run goes on is written at once here, so that every command does the same in the same order.
vi.mock("node:fs/promises", async (original) => {
  const fs = await import("node:fs");
  return {
    ...(await original<typeof import("node:fs/promises")>()),
    open: async (path: string) => ({
      writeFile: async (data: Uint8Array) => fs.writeFileSync(path, data, { flag: "a" }),
      sync: async () => {},
      close: async () => {},
    }),
  };
});
vi.mock("../../src/running-process.js", async (original) => {
  const real = await original<typeof import("../../src/running-process.js")>();
  return { ...real, thisProcess: () => ({ ...real.thisProcess(), startTicks: disk.life }) }; // each command is one of its own
});
vi.mock("../../src/page/page.js", () => ({ renderPage: () => "a page" })); // reading is what is tried here
vi.mock("../../src/process/spawn.js", async (original) => ({
  ...(await original<typeof import("../../src/process/spawn.js")>()),
  gitCommit: () => undefined, // no process is started: there are hundreds of commands
}));
vi.mock("../../src/process/python-program.js", () => ({
  runPython: () => Promise.reject(surroundingsError("no Python here")),
}));
vi.mock("../../src/record/owner.js", () => ({ ownerOf: () => "the user" })); // kept elsewhere
const opened = vi.hoisted(() => ({ openBackend: vi.fn() }));
vi.mock("../../src/backend/backend.js", () => opened);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date", "performance"], now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

const frozen = { order: "frozen" };
const shuffled = { order: "shuffled" };
const drawnAnew = { order: { name: "weighted", per: "batch", unbiased: true } };
type Arms = Readonly<Record<string, { readonly order: unknown }>>;

/** Two epochs an arm, of two batches each, with a checkpoint before every batch and after every epoch. */
const experiment = {
  checkpoint: { everyBatches: 1, leastSeconds: 0 },
  name: "small",
  dataset: "digits",
  model: "mnist-cnn",
  optimizer: "sgd",
  schedule: { name: "constant", learningRate: 0.1 },
  batching: { name: "constant", size: 3 },
  evaluation: { trainSample: 2 },
  backend: { restarts: 0 }, // there are pauses before them
  record: { signals: "last" },
  epochs: 2,
  seeds: 1,
};

/** Runs the experiment as a process of its own. Returns how many runs were trained, and what was changed on disk. */
async function command(out: string, arms: Arms, kill?: typeof disk.kill, pretence: Pretence = {}) {
  Object.assign(disk, { changes: [], kill, isDead: false, life: disk.life + 1 });
  const client = new FakeBackend({ n: 6, testCount: 2, ...pretence });
  opened.openBackend.mockImplementation(async () => ({ client, stop: async () => {} }));
  try {
    await runExperiment({ ...experiment, arms }, { out });
  } catch (error) {
    if (!disk.isDead) throw error;
  }
  if (kill === undefined) expect(disk.isDead).toBe(false);
  return {
    isKilled: disk.isDead,
    trained: client.sentOf("open").length,
    resumed: client.sentOf("load").map(({ fields }) => fields.step),
    trails: client.trails,
    changes: disk.changes,
  };
}

/** A backend that is lost before a run begins: the attempt fails, and what lies there from before stays. */
const LOST: Pretence = {
  before: ({ type }) => {
    if (type === "open") throw new BackendLost("the backend ended");
  },
};

/** Of every file, but for what tells of each attempt: the log, and in `run.json` where it went on. */
function contents(out: string): Record<string, string> {
  const files = readdirSync(out, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).filter((path) => !path.endsWith("log.txt"));
  return Object.fromEntries(paths.sort().map((path) => [path.slice(out.length + 1), content(path)]));
}

function content(path: string): string {
  const text = readFileSync(path, "latin1");
  if (path.endsWith("run.json")) return JSON.stringify({ ...JSON.parse(text), resumed: undefined });
  return path.endsWith("SHA256SUMS") ? text.replace(/# \d+ bytes\n[0-9a-f]{64} {2}run.json\n/, "") : text;
}

const unfinished = (out: string, arms: Arms): string[] =>
  Object.keys(arms).filter((arm) => {
    const path = join(out, arm, "seed-0", "run.json");
    return !existsSync(path) || JSON.parse(readFileSync(path, "utf8")).state !== "done";
  });

interface Whole {
  readonly arms: Arms;
  readonly changes: readonly string[];
  readonly contents: Record<string, string>;
  /** Of each arm, a hash of all that its model was trained on. */
  readonly trails: readonly string[];
}

/** The experiment, undisturbed. Its directory is gone again. */
async function undisturbed(out: string, arms: Arms): Promise<Whole> {
  const { changes, trails } = await command(out, arms);
  const whole = { arms, changes, trails, contents: contents(out) };
  await rm(out, { recursive: true });
  return whole;
}

/** What must hold of whatever a kill left, and after the same command. Returns the steps at which runs went on. */
async function goesOn(out: string, whole: Whole, where: string): Promise<number[]> {
  if (existsSync(join(out, "experiment.json"))) readReportData(out);
  const lacking = unfinished(out, whole.arms).length;
  const { trained, trails, resumed } = await command(out, whole.arms);
  expect(trails, `${where}: the model`).toEqual(whole.trails.slice(whole.trails.length - lacking));
  expect(trained, `${where}: what was finished is not trained again`).toBe(lacking);
  const after = contents(out);
  expect(Object.keys(after), where).toEqual(Object.keys(whole.contents));
  for (const [name, text] of Object.entries(whole.contents)) expect(after[name], `${where}: ${name}`).toBe(text);
  return resumed;
}

/** Of the writes that a kill comes before, `npm test` tries one. */
const ONE_OF = 3;
const isTorn = (change: string): boolean => /^(write|append)/.test(change);

describe("killed at each write", () => {
  test("of a whole experiment", async () => {
    const base = temporaryDirectory();
    const out = join(base, "deep", "run");
    const whole = await undisturbed(out, { frozen });
    expect(whole.changes.length).toBeGreaterThan(60);
    expect(Object.keys(whole.contents)).toEqual(expect.arrayContaining(["frozen/seed-0/metrics.jsonl", "report.html"]));
    const resumed = new Set<number>();
    let kills = 0;
    const tried = shareOfTests([...whole.changes.entries()], ONE_OF);
    for (const [at, change] of tried) {
      for (const torn of isTorn(change) ? [false, true] : [false]) {
        await rm(join(base, "deep"), { recursive: true, force: true });
        kills += Number((await command(out, whole.arms, { at, torn })).isKilled);
        for (const step of await goesOn(out, whole, `${torn ? "in" : "before"} ${change}`)) resumed.add(step);
      }
    }
    expect(kills).toBeGreaterThan(tried.length);
    expect([...resumed].sort(), "it went on from each checkpoint").toEqual([1, 2, 3, 4]);
  });

  test("of a run whose order decides each batch", async () => {
    const out = join(temporaryDirectory(), "run");
    const whole = await undisturbed(out, { drawnAnew });
    const ofTheRun = [...whole.changes.entries()].filter(([, change]) => change.includes("seed-0"));
    expect(ofTheRun.map(([, change]) => change)).toContainEqual(expect.stringMatching(/^append.*0001.u32/));
    const resumed = new Set<number>();
    for (const [at, change] of shareOfTests(ofTheRun, ONE_OF)) {
      await rm(out, { recursive: true, force: true });
      await command(out, whole.arms, { at, torn: isTorn(change) });
      for (const step of await goesOn(out, whole, `at ${change}`)) resumed.add(step);
    }
    expect([...resumed].sort(), "it went on from each checkpoint").toEqual([1, 2, 3, 4]);
  });

  test("of a run, and refused before it begins anew", async () => {
    const base = temporaryDirectory();
    const out = join(base, "run");
    const whole = await undisturbed(out, { frozen });
    const ofTheRun = [...whole.changes.entries()].filter(([, change]) => change.includes("seed-0"));
    expect(ofTheRun.map(([, change]) => change)).toContainEqual(expect.stringMatching(/^rename.*SHA256SUMS/));
    for (const [at, change] of shareOfTests(ofTheRun, ONE_OF)) {
      await rm(out, { recursive: true, force: true });
      await command(out, whole.arms, { at, torn: isTorn(change) });
      await command(out, whole.arms, undefined, LOST);
      const [{ runs }] = readReportData(out).arms;
      expect(runs, change).toMatchObject([{ state: unfinished(out, whole.arms).length === 0 ? "done" : "failed" }]);
      await goesOn(out, whole, `refused after ${change}`);
    }
  });

  test("of a command that goes on after a kill, beside a run that is finished", async () => {
    const base = temporaryDirectory();
    const [out, left] = [join(base, "run"), join(base, "left")];
    const whole = await undisturbed(out, { frozen, shuffled });
    const lines = whole.changes.flatMap((change, at) => (/^append.*shuffled.*metrics/.test(change) ? [at] : []));
    await command(out, whole.arms, { at: lines[1], torn: true });
    expect(unfinished(out, whole.arms)).toEqual(["shuffled"]);
    cpSync(out, left, { recursive: true });
    const { changes } = await command(out, whole.arms);
    expect(changes.length).toBeGreaterThan(40);
    let kills = 0;
    const tried = shareOfTests([...changes.entries()], ONE_OF);
    for (const [at, change] of tried) {
      await rm(out, { recursive: true });
      cpSync(left, out, { recursive: true });
      kills += Number((await command(out, whole.arms, { at, torn: isTorn(change) })).isKilled);
      await goesOn(out, whole, `at ${change}`);
    }
    expect(kills, "but for the last ones, where fewer log lines came before").toBeGreaterThan(0.8 * tried.length);
  });
});
