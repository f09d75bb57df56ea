// Directories of one experiment that are made into one: by shards on backends that only pretend.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { IbatchError, Interrupted } from "../../src/errors.js";
import { merge } from "../../src/launch/merge.js";
import { runExperiment } from "../../src/launch/run-experiment.js";
import { packageRoot } from "../../src/package-root.js";
import { FakeBackend, type Pretence } from "../experiment/fake-backend.js";
import { CONFIG, temporaryDirectory } from "../experiment/scene.js";

const opened = vi.hoisted(() => ({ openBackend: vi.fn() }));
vi.mock("../../src/backend/backend.js", () => opened);

let base = "";
beforeEach(() => {
  base = temporaryDirectory();
});
afterEach(() => void vi.resetAllMocks());

const value = { ...parse(CONFIG), epochs: 2 };

interface Made {
  readonly config?: object;
  readonly shard?: string;
  readonly pretence?: Pretence;
}

const NOWHERE = "/nowhere/python"; // results without statistics, and at once

async function made(name: string, { config = {}, shard, pretence = {} }: Made = {}): Promise<string> {
  const out = join(base, name);
  opened.openBackend.mockImplementation(async () => ({ client: new FakeBackend(pretence), stop: async () => {} }));
  await runExperiment({ ...value, ...config }, { out, shard, python: NOWHERE });
  return out;
}

const shards = async (config: object = {}) => [
  await made("a", { config, shard: "0/2" }),
  await made("b", { config, shard: "1/2" }),
];

const into = (name: string) => join(base, name);
const merged = (directories: readonly string[], out = into("whole"), signal = new AbortController().signal) =>
  merge(directories, { out, python: NOWHERE, signal, onWarning: () => {} });

async function refusal(directories: readonly string[], out?: string): Promise<string> {
  const error = await merged(directories, out).catch((thrown: unknown) => thrown);
  if (!(error instanceof IbatchError)) throw new Error(`no refusal: ${error}`);
  expect(error.kind).toBe("usage");
  return error.message;
}

/** Files that say what was done, and not when. */
const filesOf = (directory: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
      .filter(
        (file) => !/(run|experiment|summary)\.json$|timings|SHA256SUMS|log\.txt|report\.html|table\.md$/.test(file),
      )
      .sort()
      .map((file) => [
        file,
        createHash("sha256")
          .update(readFileSync(join(directory, file)))
          .digest("hex"),
      ]),
  );

const json = (...path: string[]) => JSON.parse(readFileSync(join(...path), "utf8"));

const unfinished = (run: string) => {
  const { checksums: _, ...document } = json(run, "run.json");
  writeFileSync(join(run, "run.json"), JSON.stringify({ ...document, state: "running" }));
  rmSync(join(run, "SHA256SUMS"));
};

describe("shards that are merged", () => {
  test("hold what one command makes, its config, results of all, and what was logged", async () => {
    const alone = await made("alone");
    const both = await shards();
    for (const [index, shard] of both.entries()) appendFileSync(join(shard, "log.txt"), `heard in shard ${index}\n`);
    const { directory, summary, page } = await merged(both);
    expect(filesOf(directory)).toEqual(filesOf(alone));
    const { config, name, hash } = json(alone, "experiment.json");
    expect(json(directory, "experiment.json")).toMatchObject({ config, name, hash });
    expect(summary.arms.map(({ missing, done }) => ({ missing, done }))).toEqual([
      { missing: [], done: 2 },
      { missing: [], done: 2 },
    ]);
    expect(json(directory, "summary.json")).toEqual({ ...summary, directory });
    expect(page && readFileSync(page, "utf8")).toContain("shuffled");
    const log = readFileSync(join(directory, "log.txt"), "utf8");
    expect(log.match(/^heard in shard [01]$/gm)).toEqual(["heard in shard 0", "heard in shard 1"]);
    expect(log).toMatch(/merged 4 runs from \S+a, \S+b\n/);
  });

  test("once more are as they were", async () => {
    const both = await shards();
    const { directory } = await merged(both);
    const [before, log] = [filesOf(directory), readFileSync(join(directory, "log.txt"), "utf8")];
    await merged(both);
    expect(filesOf(directory)).toEqual(before);
    expect(readFileSync(join(directory, "log.txt"), "utf8")).toBe(log);
  });

  test("may be merged into one of them, whose own runs stay where they are", async () => {
    const [a, b] = await shards();
    const { directory } = await merged([b], a);
    expect(directory).toBe(a);
    expect(filesOf(a)).toEqual(filesOf(await made("alone")));
    expect(filesOf((await merged([a, b])).directory)).toEqual(filesOf(a));
  });

  test("of seeds and arms that the other does not know have all of them", async () => {
    const a = await made("a", { config: { seeds: [0] } });
    const b = await made("b", { config: { seeds: [3], arms: { ...value.arms, sorted: { order: "homogeneous" } } } });
    const { documentSha256: _, ...document } = json(a, "experiment.json");
    writeFileSync(
      join(a, "experiment.json"),
      JSON.stringify({ ...document, command: "npx ibatch run c.yaml --seeds 0, --out a" }),
    );
    const { directory, summary } = await merged([a, b]);
    expect(summary.seeds).toEqual([0, 3]);
    const { command, config } = json(directory, "experiment.json");
    expect(command).toBe("npx ibatch run c.yaml --out a --seeds 0,3");
    const { seeds, arms } = config;
    expect([seeds, Object.keys(arms)]).toEqual([
      [0, 3],
      ["frozen", "shuffled", "sorted"],
    ]);
  });

  test("with a tuning have the runs of it, and what each arm was tuned to", async () => {
    const config = { tune: { learningRate: [0.05, 0.1], seeds: 1 }, dataset: { name: "digits", validation: 4 } };
    const alone = await made("alone", { config });
    const { directory } = await merged(await shards(config));
    expect(filesOf(directory)).toEqual(filesOf(alone));
    expect(json(directory, "experiment.json").config).toEqual(json(alone, "experiment.json").config);
  });

  test("one of which lacks runs yet say what is missing; those are merged when they are there", async () => {
    const [a, b] = [await made("a", { shard: "0/3" }), await made("b", { shard: "1/3" })];
    const { summary, table } = await merged([a, b]);
    expect(summary.arms.map(({ missing }) => missing)).toEqual([[], [0]]);
    expect(table).toContain("shuffled, seed 0: no run on record");
    const { directory } = await merged([await made("c", { shard: "2/3" })]);
    expect(filesOf(directory)).toEqual(filesOf(await made("alone")));
  });
});

test("a run that both have is taken once; one that came to its end takes the place of one that did not", async () => {
  const [a, b] = await shards();
  const run = "frozen/seed-0";
  cpSync(join(a, run), join(b, run), { recursive: true });
  unfinished(join(b, run));
  const { directory } = await merged([b, join(base, "a")], b);
  expect(json(directory, run, "run.json").state).toBe("done");
  expect(filesOf(directory)).toEqual(filesOf(await made("alone")));
  expect(await merged([a, b])).toMatchObject({ directory: into("whole") }); // equal bytes
});

test("of a run that is unfinished in both, the one is taken that came further; they must agree up to there", async () => {
  const [a, b] = [await made("a"), await made("b")];
  const runs = [a, b].map((directory) => join(directory, "frozen/seed-0"));
  for (const run of runs) unfinished(run);
  const lines = ["metrics.jsonl", "timings.jsonl"].map((name) => join(runs[0], name));
  for (const path of lines) writeFileSync(path, readFileSync(path, "utf8").replace(/\n.*/s, "\n"));
  const metricsOf = (directory: string) => readFileSync(join(directory, "frozen/seed-0/metrics.jsonl"), "utf8");
  for (const [at, both] of [
    [a, b],
    [b, a],
  ].entries()) {
    expect(metricsOf((await merged(both, into(`whole-${at}`))).directory)).toBe(metricsOf(b));
  }
  expect(metricsOf((await merged([b], a)).directory)).toBe(metricsOf(b));
  writeFileSync(lines[0], metricsOf(b).replace(/"loss":[\d.]+/, '"loss":77'));
  expect(await refusal([a, b])).toMatch(/are both frozen, seed 0, and differ \(epochs that both have\): remove/);
});

test("tuning.json is taken without the runs of it, too; a tuning that was stopped before it began is none", async () => {
  const config = { tune: { learningRate: [0.05, 0.1], seeds: 1 }, dataset: { name: "digits", validation: 4 } };
  const [a, b] = await shards(config);
  const tuned = [a, b].flatMap((shard) => json(shard, "tuning.json").arms);
  rmSync(join(a, "tuning"), { recursive: true });
  for (const name of readdirSync(join(b, "tuning"))) rmSync(join(b, "tuning", name), { recursive: true });
  const { directory } = await merged([a, b]);
  expect(json(directory, "tuning.json").arms).toEqual(tuned);
  expect(existsSync(join(directory, "tuning"))).toBe(false);
});

describe("are refused, and nothing is made", () => {
  afterEach(() => expect(existsSync(into("whole"))).toBe(false));

  test("one directory alone, and one that is named twice", async () => {
    const a = await made("a");
    const alone = /nothing to merge \S+a with: name two directories or more, or with --out one that holds runs/;
    expect(await refusal([a])).toMatch(alone);
    expect(await refusal([a], a)).toMatch(alone);
    expect(await refusal([a, `${a}/`])).toMatch(/a\/ is named twice: name each directory once/);
    expect(await refusal([a, join(a, "frozen")])).toMatch(/holds no experiment/);
  });

  test("other experiments", async () => {
    const a = await made("a");
    const b = await made("b", { config: { name: "other" } });
    const both = /b holds another experiment than \S+a \(name: "other" there, "small" in the other\): name/;
    expect(await refusal([a, b])).toMatch(both);
    expect(await refusal([a, await made("c", { config: { seeds: 1 } })], b)).toMatch(/b holds experiment/);
  });

  test("claims that are planned otherwise, also by the directory that gets all", async () => {
    const [a] = await shards();
    const others = { primary: "loss", targetAccuracy: 0.5, equivalenceMargin: 0.2, baseline: "frozen" };
    for (const [key, planned] of Object.entries(others)) {
      const c = await made(`c-${key}`, { config: { [key]: planned }, shard: "1/2" });
      const ours = { primary: `"accuracy"`, baseline: `"shuffled"` }[key] ?? "null";
      const both = `a has ${key}: ${ours}, and ${c} ${key}: ${JSON.stringify(planned)}: what is claimed`;
      expect(await refusal([a, c])).toContain(both);
      const before = readFileSync(join(c, "experiment.json"), "utf8");
      expect(await refusal([a], c)).toContain(`has ${key}: `);
      expect(readFileSync(join(c, "experiment.json"), "utf8")).toBe(before);
    }
  });

  test("an arm with other settings", async () => {
    const [a] = await shards();
    const arms = { ...value.arms, frozen: { order: "frozen", batching: { name: "constant", size: 4 } } };
    const c = await made("c", { config: { arms }, shard: "1/2" });
    expect(await refusal([a, c])).toMatch(/one arm with other settings \(batching.*size: 5 there, 4 here\)/);
  });

  test("runs in other surroundings, or on other data", async () => {
    const a = await made("a", { shard: "0/2" });
    const elsewhere = await made("b", { shard: "1/2", pretence: { opened: { threads: 7 } } });
    expect(await refusal([a, elsewhere])).toMatch(
      /b\/\S+ cannot stand beside \S+a\/\S+, which was made in surroundings that give other bits \(threads \d+, now 7\)/,
    );
    const other = await made("c", { shard: "1/2", pretence: { opened: { dataSha256: "e".repeat(64) } } });
    expect(await refusal([a, other])).toMatch(/which was trained on other data \(SHA-256/);
  });

  test("results of one run that differ", async () => {
    const a = await made("a");
    const b = await made("b", { pretence: { opened: { initialWeightsSha256: "f".repeat(64) } } });
    expect(await refusal([a, b])).toMatch(/cannot stand beside|and differ/);
    const c = await made("c");
    const run = join(c, "frozen/seed-0");
    rmSync(join(run, "SHA256SUMS"));
    const { checksums: _, ...document } = json(run, "run.json");
    writeFileSync(join(run, "run.json"), JSON.stringify(document));
    const predictions = join(run, "test-predictions.u32");
    writeFileSync(
      predictions,
      Uint32Array.from({ length: readFileSync(predictions).length / 4 }, () => 1),
    );
    expect(await refusal([a, c])).toMatch(/are both frozen, seed 0, and differ \(test-predictions.u32\): remove/);
  });

  test("runs that learning rates are tuned by; one that is to hold all, in one of them", async () => {
    const config = { tune: { learningRate: [0.05, 0.1], seeds: 1 }, dataset: { name: "digits", validation: 4 } };
    const [a, b] = (await shards(config)).map((shard) => join(shard, "tuning"));
    expect(await refusal([a, b])).toMatch(/a\/tuning holds the runs that learning rates are tuned by/);
    const whole = join(base, "a/whole");
    expect(await refusal([join(base, "a"), join(base, "b")], whole)).toMatch(/--out \S+a\/whole lies in \S+a, which/);
    expect(existsSync(whole)).toBe(false);
  });

  test("lines of an unfinished run that are damaged", async () => {
    const [a, b] = await shards();
    unfinished(join(b, "shuffled/seed-1"));
    writeFileSync(join(b, "shuffled/seed-1/metrics.jsonl"), "garbage\n");
    expect(await refusal([a, b])).toMatch(
      /b\/shuffled\/seed-1\/metrics.jsonl is damaged .*: bring it back, or remove \S+: it is/,
    );
  });

  test("what is damaged", async () => {
    const [a, b] = await shards();
    writeFileSync(join(b, "shuffled/seed-1/metrics.jsonl"), "");
    expect(await refusal([a, b])).toMatch(/b\/shuffled\/seed-1\/metrics.jsonl is damaged/);
  });

  test("one that a command works in", async () => {
    const [a, b] = await shards();
    const lock = join(b, "lock.00000000-0000-4000-8000-000000000000");
    writeFileSync(lock, JSON.stringify({ pid: process.ppid, host: hostname() }));
    expect(await refusal([a, b])).toMatch(
      /b is in use by process \d+ on .*: merge when that has ended \(if that is no ibatch any more, remove \S*\/b\/lock\.00000000-\S+\)$/,
    );
    rmSync(lock);
    writeFileSync(join(b, "shuffled/seed-1/lock"), JSON.stringify({ pid: process.ppid, host: hostname() }));
    expect(await refusal([a, b])).toMatch(
      /b\/shuffled\/seed-1 is in use by process .*, remove \S*\/b\/shuffled\/seed-1\/lock\)$/,
    );
  });
});

/** Does it once between the look at all and the first copy. */
const meanwhile = (act: () => void) => {
  let isDone = false;
  const { signal } = new AbortController();
  vi.spyOn(signal, "aborted", "get").mockImplementation(() => {
    if (!isDone) act();
    isDone = true;
    return false;
  });
  return signal;
};

test("a run that another command replaces between the look and the copy is not taken", async () => {
  const [a, b] = await shards();
  const run = join(b, "frozen/seed-1");
  unfinished(run);
  const other = await made("other", { shard: "1/2", pretence: { opened: { threads: 7 } } });
  const replaced = meanwhile(() => {
    rmSync(run, { recursive: true });
    cpSync(join(other, "frozen/seed-1"), run, { recursive: true });
  });
  await expect(merged([a, b], into("whole"), replaced)).rejects.toThrow(
    /b\/frozen\/seed-1 was gone on with by another/,
  );
  expect(existsSync(into("whole/frozen/seed-1"))).toBe(false);
});

test("of a run's directory only what the run wrote is copied; nothing of the user's is removed for it", async () => {
  const [a, b] = await shards();
  const [theirs, ours] = [join(a, "frozen/seed-0"), into("whole/frozen/seed-0")];
  for (const name of ["my-notes.txt", "orders/mine.txt"]) writeFileSync(join(theirs, name), "mine");
  symlinkSync("..", join(theirs, "above"));
  await merged([a, b]);
  const names = (run: string) => readdirSync(run, { recursive: true, encoding: "utf8" }).sort();
  expect(names(ours)).toEqual(names(theirs).filter((name) => !/mine|my-notes|above/.test(name)));
  unfinished(ours);
  mkdirSync(join(ours, "checkpoint/5"), { recursive: true });
  for (const name of ["my-notes.txt", "locks.txt", "checkpoint/why.txt", "checkpoint/5/why.txt"]) {
    writeFileSync(join(ours, name), "mine");
    expect(await refusal([a, b])).toContain(`frozen/seed-0/${name} is none of our files, and `);
    expect(readFileSync(join(ours, name), "utf8")).toBe("mine");
    rmSync(join(ours, name));
  }
  for (const name of ["lock.1.partial", "checkpoint/5/manifest.json.partial"]) writeFileSync(join(ours, name), "");
  await merged([a, b]);
  expect(names(ours)).toEqual(names(theirs).filter((name) => !/mine|my-notes|above/.test(name)));
});

test("what was read-only where it comes from may be gone on with; what cannot be read is named", async () => {
  const [a, b] = await shards();
  const [document, metrics] = ["frozen/seed-0/run.json", "frozen/seed-0/metrics.jsonl"];
  for (const name of [document, metrics]) chmodSync(join(a, name), 0o444);
  await merged([a, b]);
  for (const name of [document, metrics]) expect(statSync(join(into("whole"), name)).mode & 0o200).toBe(0o200);
  const run = join(b, "frozen/seed-1");
  unfinished(run);
  symlinkSync("/nowhere", join(run, "signals/loss/0007.f32"));
  await expect(merged([a, b], into("other"))).rejects.toThrow(
    /b\/frozen\/seed-1\/signals\/loss\/0007.f32 is damaged \(it is a link/,
  );
});

test("nothing more is put where another command begins to work meanwhile", async () => {
  const both = await shards();
  const entered = meanwhile(() => {
    const holder = { pid: process.ppid, host: hostname(), experiment: json(both[0], "experiment.json").hash };
    writeFileSync(into("whole/lock.00000000-0000-4000-8000-000000000000"), JSON.stringify(holder));
  });
  await expect(merged(both, into("whole"), entered)).rejects.toThrow(/whole is in use by process/);
  expect(readdirSync(into("whole"), { recursive: true }).filter((name) => /run\.json|merging/.test(`${name}`))).toEqual(
    [],
  );
});

test("datasets are taken from whichever has them whole; of those that none has, and of a log, a line is said", async () => {
  const [a, b] = await shards();
  const [dataset] = readdirSync(join(a, "datasets"));
  writeFileSync(join(a, "datasets", dataset, "labels.u32"), "damaged");
  rmSync(join(a, "log.txt"));
  symlinkSync("/nowhere", join(a, "log.txt"));
  const { directory, notes } = await merged([a, b]);
  expect(filesOf(join(directory, "datasets"))).toEqual(filesOf(join(b, "datasets")));
  expect(notes).toEqual([
    `merged 4 runs from ${a}, ${b}`,
    `the log of ${a} is not taken: a log is damaged (it is a link that leads nowhere)`,
  ]);
  writeFileSync(join(b, "datasets", dataset, "labels.u32"), "damaged");
  expect(await refusal([a, b], into("other"))).toMatch(/a\/datasets\/\S+labels.u32 is damaged/);
  expect(existsSync(into("other"))).toBe(false);
  for (const shard of [a, b]) rmSync(join(shard, "datasets"), { recursive: true });
  unfinished(join(b, "frozen/seed-1"));
  const without = await merged([a, b], into("other"));
  expect(without.notes.slice(0, 2)).toEqual([
    `merged 4 runs from ${a}, ${b} (1 unfinished)`,
    expect.stringMatching(/^no directory has names and labels of the data \(SHA-256 [0-9a-f]{8}\)/),
  ]);
  expect((await merged([a, b], into("other"))).notes[0]).toBe(`merged 0 runs from ${a}, ${b}; 4 were there already`);
});

test("the one that gets all may have lost what says which experiment it is", async () => {
  const both = await shards();
  const { directory } = await merged(both);
  const before = json(directory, "experiment.json").config;
  rmSync(join(directory, "experiment.json"));
  expect((await merged(both)).notes[0]).toMatch(/merged 0 runs .* 4 were there already/);
  expect(json(directory, "experiment.json").config).toEqual(before);
});

test("of a log that grew, what is new is added, also after one that was cut off", async () => {
  const both = await shards();
  const log = join((await merged(both)).directory, "log.txt");
  const line = (minute: number) => `2026-01-01T00:0${minute}:00.000Z line ${minute}\n`;
  for (const minute of [1, 2]) {
    appendFileSync(join(both[0], "log.txt"), line(minute));
    if (minute === 2) appendFileSync(log, line(2).slice(0, -4));
    await merged(both);
  }
  const lines = readFileSync(log, "utf8").split("\n");
  expect(lines.filter((one) => /:0[12]:00.000Z line/.test(one))).toEqual([1, 2].map((minute) => line(minute).trim()));
  expect(new Set(lines).size).toBe(lines.length);
});

test("interrupted, it leaves whole runs, and the same call goes on", async () => {
  const both = await shards();
  const stopping = new AbortController();
  stopping.abort();
  await expect(merged(both, into("whole"), stopping.signal)).rejects.toThrow(Interrupted);
  const { directory } = await merged(both);
  expect(filesOf(directory)).toEqual(filesOf(await made("alone")));
});

/** Counts what changes the disk, and ends the process before the nth of it. */
const KILLER = `
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
const [at, counter] = [Number(process.env.KILL_AT), process.env.COUNTED];
let count = 0;
const kill = () => process.kill(process.pid, "SIGKILL");
for (const name of ["writeFileSync", "appendFileSync", "renameSync", "rmSync", "rmdirSync", "mkdirSync", "linkSync", "copyFileSync", "chmodSync"]) {
  const real = fs[name];
  fs[name] = (...given) => {
    count++;
    if (count === at) kill();
    return real(...given);
  };
}
syncBuiltinESMExports();
process.on("exit", () => counter && fs.writeFileSync(counter, String(count)));
`;

test("killed before any of its writes, it leaves what the same call goes on with", async () => {
  const both = await shards();
  const script = join(base, "killer.mjs");
  writeFileSync(script, KILLER);
  const main = join(packageRoot, "dist/cli/main.js");
  const killed = (at: number, out: string) => {
    const args = ["--import", script, main, "merge", ...both, "--out", out, "--python", NOWHERE];
    const env = { ...process.env, KILL_AT: String(at), COUNTED: join(base, "count") };
    return spawnSync(process.execPath, args, { env, encoding: "utf8" });
  };
  expect(killed(0, into("counted"))).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(/^ibatch: merged 4 runs from .*\n$/),
  });
  const [expected, writes] = [filesOf(into("counted")), Number(readFileSync(join(base, "count"), "utf8"))];
  expect(writes).toBeGreaterThan(30);
  const STRIDE = 41;
  for (let at = 1 + (process.pid % STRIDE); at < writes; at += STRIDE) {
    const out = into(`killed-${at}`);
    expect(killed(at, out).signal, `write ${at} of ${writes}`).toBe("SIGKILL");
    await merged(both, out);
    expect(filesOf(out), `write ${at} of ${writes}`).toEqual(expected);
  }
}, 120_000);
