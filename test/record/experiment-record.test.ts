import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { ExperimentDocument } from "../../src/record/experiment-document.js";
import { ExperimentRecord } from "../../src/record/experiment-record.js";
import { findRuns } from "../../src/record/find-runs.js";
import { readAnswer } from "../../src/record/statistics-file.js";
import { mistake } from "../mistake.js";

let directory = "";
beforeEach(() => {
  const base = mkdtempSync(join(tmpdir(), "ibatch-experiment-"));
  directory = join(base, "run");
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
});

const document: ExperimentDocument = {
  name: "small",
  hash: "0123456789abcdef".repeat(4),
  config: { name: "small", seeds: [0], targetAccuracy: null, equivalenceMargin: null, arms: {} },
  command: "ibatch run small.yaml",
  commit: "abc",
  ibatchVersion: "0.1.0",
};
const { config: _, ...identity } = document;
const open = (hash = document.hash) =>
  ExperimentRecord.open(directory, { ...identity, hash }, { orders: "full", signals: "full" });
const read = (name: string) => readFileSync(join(directory, name), "utf8");

/** Opens it, writes a run and closes it. */
function recordOnce(arm = "a"): void {
  const record = open();
  record.writeDocument(document.config);
  record.run(arm, 0).start({
    arm,
    seed: 0,
    configHash: "x",
    config: { epochs: 1, order: {} },
    ibatchVersion: "0",
    state: "running",
  });
  record.close();
}

test("experiment.json says what determines the numbers, and how and where it was asked for", () => {
  recordOnce();
  const given = { in: process.cwd(), directory: realpathSync(directory) };
  expect(JSON.parse(read("experiment.json"))).toMatchObject({ ...document, given });
});

test("a run's directory is <arm>/seed-<n>", () => {
  const record = open();
  expect(record.run("frozen", 12).directory).toBe(join(directory, "frozen", "seed-12"));
  record.close();
});

test("what is on record is found whoever asks: runs, not what else lies there", () => {
  recordOnce();
  mkdirSync(join(directory, "b", "seed-12"), { recursive: true });
  mkdirSync(join(directory, "b", "notes"));
  const record = open();
  expect(findRuns(directory, []).runs.map(({ arm, seed, directory: run }) => [arm, seed, run])).toEqual([
    ["a", 0, join(directory, "a", "seed-0")],
    ["b", 12, join(directory, "b", "seed-12")],
  ]);
  record.close();
});

test("a full disk is told, with the file, and what to do", () => {
  const record = open();
  symlinkSync("/dev/full", join(directory, "log.txt"));
  expect(mistake(() => record.log("one"), "surroundings")).toBe(
    `the disk is full: ${directory}/log.txt cannot be written; mend that and give the same command again, or name another --out`,
  );
  record.close();
});

test("a directory that cannot be made is told, too", () => {
  writeFileSync(join(directory, "..", "file"), "");
  directory = join(directory, "..", "file");
  expect(mistake(open, "surroundings")).toMatch(`there is a file in the way: ${directory} cannot be written; `);
});

test("summary, statistics and table are files of their own; statistics of before do not outlive their results", () => {
  const record = open();
  const summary = { name: "small", directory, seeds: [0], arms: [] };
  const none = { confidence: 0.95, comparisons: [] };
  const answer = { ...none, samples: [] };
  const findings = { ...none, primary: "accuracy" as const, target: null, arms: [], notes: ["one seed"], alarms: [] };
  const request = { samples: [{ name: "a", values: { 0: "NaN" as const } }], comparisons: [] };
  record.writeResults({ summary, statistics: { request, answer, findings }, table: "| a |\n" });
  expect(JSON.parse(read("summary.json"))).toEqual(summary);
  expect(JSON.parse(read("statistics.json"))).toMatchObject({ request, answer, findings });
  expect(readAnswer(directory, request)).toEqual(answer);
  expect(readAnswer(directory, { ...request, confidence: 0.9 })).toBeUndefined();
  expect(read("table.md")).toBe("| a |\n");
  record.writeResults({ summary, statistics: undefined, table: "" });
  expect(existsSync(join(directory, "statistics.json"))).toBe(false);
  record.close();
});

test("log.txt grows by a line with the time", () => {
  const record = open();
  record.log("one");
  record.log("two");
  expect(read("log.txt")).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z one\n\S+ two\n$/);
  record.close();
});

describe("several commands at a time", () => {
  const held = { pid: process.pid, host: hostname() };

  test("have a run each: one that is held is another's until it is released", () => {
    const [one, two] = [open(), open()];
    expect(one.others).toMatchObject([held]);
    expect(one.claim("a", 0)).toBeUndefined();
    expect(one.claim("a", 0), "again").toBeUndefined();
    expect(two.claim("a", 0)).toMatchObject(held);
    expect(two.claim("a", 1)).toBeUndefined();
    one.release("a", 0);
    expect(two.claim("a", 0)).toBeUndefined();
    one.close();
    two.close();
    expect(readdirSync(directory)).toEqual([]);
  });

  test("keep what each of them asks for in experiment.json, until they are alone again", () => {
    const asking = (seeds: number[], arm: string) => ({
      ...{ ...document.config, seeds, baseline: "a", comparisons: [{ arm, with: "a" }] },
      arms: { a: { epochs: 1, order: {} }, [arm]: { epochs: 1, order: {} } },
    });
    const [one, two] = [open(), open()];
    one.writeDocument(asking([0, 1], "b"));
    two.writeDocument(asking([1, 2], "c"));
    expect(JSON.parse(read("experiment.json")).config).toMatchObject({
      seeds: [0, 1, 2],
      comparisons: [
        { arm: "b", with: "a" },
        { arm: "c", with: "a" },
      ],
      arms: { a: {}, b: {}, c: {} },
    });
    one.close();
    two.writeDocument(asking([3], "d"));
    expect(JSON.parse(read("experiment.json")).config).toMatchObject({ seeds: [3], arms: { a: {}, d: {} } });
    two.close();
  });

  test("of two experiments are refused, also where nothing is on record yet", () => {
    const record = open();
    expect(mistake(() => open("f".repeat(64)))).toBe(
      `${directory} is in use by process ${process.pid} on ${hostname()} for another experiment (01234567, this config ` +
        `is ffffffff): wait until it ends, or name another --out (if that is no ibatch any more, remove ${directory}/lock.*)`,
    );
    record.close();
  });

  test("leave what is shared to the one that goes on: nothing is taken away from under it", () => {
    const [one, two] = [open(), open()];
    two.writeDocument(document.config);
    one.close();
    expect(read("experiment.json")).toContain(document.hash);
    two.close();
    expect(readdirSync(directory)).toEqual([]);
  });

  test("wait for each other while one writes, and not for an ibatch of before, which holds all of it", () => {
    const record = open();
    writeFileSync(join(directory, "lock"), JSON.stringify({ pid: process.ppid, host: hostname() }));
    expect(mistake(open)).toMatch(/is in use by process/);
    expect(mistake(() => record.writeReport("page"))).toMatch(/is in use by process/);
    rmSync(join(directory, "lock"));
    expect(record.writeReport("page")).toBe(join(directory, "report.html"));
    record.close();
  });

  test("what a killed one left of its locks is nobody's", () => {
    const record = open();
    record.claim("a", 0);
    const dead = { ...held, pid: 999_999_999 };
    writeFileSync(join(directory, "lock.00000000-0000-4000-8000-000000000000"), JSON.stringify(dead));
    mkdirSync(join(directory, "a", "seed-1"));
    writeFileSync(join(directory, "a", "seed-1", "lock"), JSON.stringify(dead));
    const next = open();
    expect(next.others).toHaveLength(1);
    expect(next.claim("a", 1)).toBeUndefined();
    for (const one of [record, next]) one.close();
    expect(readdirSync(join(directory, "a"))).toEqual(["seed-1"]);
  });
});

describe("where nothing came of it", () => {
  test("a directory that was made goes again, with those above it", () => {
    directory = join(directory, "deep", "run");
    const record = open();
    record.writeDocument(document.config);
    record.log("one");
    record.close();
    expect(existsSync(join(directory, "..", ".."))).toBe(false);
  });

  test("a directory that was there before is as it was", () => {
    mkdirSync(directory);
    const record = open();
    record.writeDocument(document.config);
    record.log("one");
    record.close();
    expect(readdirSync(directory)).toEqual([]);
  });

  test("what somebody put there meanwhile stays", () => {
    const record = open();
    record.log("one");
    writeFileSync(join(directory, "notes.txt"), "mine");
    record.close();
    expect(read("notes.txt")).toBe("mine");
  });

  test("a directory that holds a run stays", () => {
    recordOnce();
    open().close();
    expect(readdirSync(directory).sort()).toEqual(["a", "experiment.json"]);
  });

  test("nor is one made that is refused", () => {
    mkdirSync(directory);
    writeFileSync(join(directory, "lock"), JSON.stringify({ pid: process.ppid, host: hostname() }));
    expect(mistake(open)).toMatch(/is in use/);
    expect(readdirSync(directory)).toEqual(["lock"]);
  });
});

describe("taken over is what a controller left that was killed", () => {
  const left: [string, Record<string, string>][] = [
    ["with its lock half written", { "lock.mine-elsewhere-1.partial": '{"pid' }],
    ["before its first word", { lock: "", "experiment.json.partial": "{" }],
    ["with its log begun", { "log.txt": "2026-01-01T00:00:00.000Z backend: a warning\n" }],
    ["with a log of nothing", { "log.txt": "" }],
  ];
  test.each(left)("%s", (_, files) => {
    mkdirSync(directory);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    recordOnce();
    expect(JSON.parse(read("experiment.json"))).toMatchObject(document);
    expect(readdirSync(directory).filter((name) => /partial|lock/.test(name))).toEqual([]);
  });

  test("before its first run: by whatever experiment", () => {
    mkdirSync(directory);
    writeFileSync(join(directory, "experiment.json"), JSON.stringify({ ...document, hash: "f".repeat(64) }));
    recordOnce();
    expect(JSON.parse(read("experiment.json"))).toMatchObject(document);
  });

  test("while it wrote results: the half of them goes", () => {
    recordOnce();
    mkdirSync(join(directory, "datasets", "dd"), { recursive: true });
    const half = ["summary.json", "report.html", "table.md", "statistics.json", "datasets/dd/labels.u32"];
    for (const name of half) writeFileSync(join(directory, `${name}.partial`), "{");
    for (const name of ["film.partial", "a/mine.partial"]) writeFileSync(join(directory, name), "mine");
    open().close();
    expect(
      readdirSync(directory, { recursive: true })
        .filter((name) => String(name).endsWith(".partial"))
        .sort(),
    ).toEqual(["a/mine.partial", "film.partial"]);
  });
});

describe("an experiment.json that is lost or damaged, beside good runs", () => {
  test.each(["{", "", "[]", undefined])(
    "%j: the runs are to tell what it is; it is kept aside, and written anew",
    (text) => {
      recordOnce();
      if (text === undefined) rmSync(join(directory, "experiment.json"));
      else writeFileSync(join(directory, "experiment.json"), text);
      const record = open();
      expect(record.isUnnamed).toBe(true);
      expect(findRuns(directory, []).runs).toHaveLength(1);
      record.writeDocument(document.config);
      record.close();
      expect(JSON.parse(read("experiment.json"))).toMatchObject(document);
      if (text !== undefined) expect(read("experiment.json.damaged")).toBe(text);
      const again = open();
      expect(again.isUnnamed).toBe(false);
      again.close();
    },
  );
});

describe("refused, and left as it was, is a directory that holds", () => {
  test("another experiment: both are named", () => {
    recordOnce();
    expect(mistake(() => open("f".repeat(64)))).toBe(
      `${directory} holds experiment 01234567, this config is experiment ffffffff: ` +
        "name another directory with --out, or run what made it: ibatch run small.yaml",
    );
    expect(JSON.parse(read("experiment.json"))).toMatchObject(document);
    expect(existsSync(join(directory, "lock")), "and it is free for others").toBe(false);
  });

  test.each([
    ["something else", "notes.txt", "mine"],
    ["an experiment.json that is damaged", "experiment.json", "{"],
    ["a log that is not ours", "log.txt", "Jan 1 started\n"],
    ["somebody's half file", "film.partial", ""],
    ["an experiment.json of somebody else", "experiment.json", '{"title":"x"}'],
  ])("%s", (_, name, text) => {
    mkdirSync(directory);
    writeFileSync(join(directory, name), text);
    expect(mistake(open)).toBe(
      `${directory} holds something that is no experiment of ours: name another directory with --out`,
    );
    expect(read(name)).toBe(text);
    expect(readdirSync(directory)).toEqual([name]);
  });
});

test("who keeps others out says that it lives while it takes runs, and takes none where another took it for gone", () => {
  const record = open();
  const lock = join(directory, "lock");
  const presence = join(directory, String(readdirSync(directory).find((name) => name.startsWith("lock."))));
  const heardAt = record.exclusively(() => {
    for (const path of [lock, presence]) utimesSync(path, 0, 0);
    record.claim("a", 0);
    return [lock, presence].map((path) => statSync(path).mtimeMs);
  });
  expect(Math.min(...heardAt)).toBeGreaterThan(0);
  const tooLate = () =>
    record.exclusively(() => {
      writeFileSync(lock, "another's");
      record.claim("a", 1);
    });
  expect(mistake(tooLate, "surroundings")).toContain("is another process's by now");
  expect([record.holds("a", 0), record.holds("a", 1)]).toEqual([true, false]);
  rmSync(lock);
  record.close();
});

test("what a killed merge left beside a run goes when the run begins", () => {
  recordOnce();
  for (const ending of [".merging", ".replaced"]) mkdirSync(join(directory, `b/seed-0${ending}`), { recursive: true });
  recordOnce("b");
  expect(readdirSync(join(directory, "b"))).toEqual(["seed-0"]);
});
