import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type ExperimentDocument, ExperimentRecord } from "../../src/record/experiment-record.js";
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
  config: { epochs: 2 },
  command: "ibatch run small.yaml",
  commit: "abc",
  ibatchVersion: "0.1.0",
};
const open = (hash = document.hash) =>
  ExperimentRecord.open(directory, { ...document, hash }, { orders: "full", signals: "full" });
const read = (name: string) => readFileSync(join(directory, name), "utf8");

/** Opens it, writes a run and closes it. */
function recordOnce(): void {
  const record = open();
  record.writeDocument();
  record.run("a", 0).start({ arm: "a", seed: 0, configHash: "x", config: {}, ibatchVersion: "0", state: "running" });
  record.close();
}

test("experiment.json says what determines the numbers and how it was asked for", () => {
  recordOnce();
  expect(JSON.parse(read("experiment.json"))).toEqual(document);
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
  expect(record.recordedRuns().map(({ arm, seed, record: run }) => [arm, seed, run.directory])).toEqual([
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
  record.writeResults({ summary: { arms: [] }, statistics: { answer: 1 }, table: "| a |\n" });
  expect(JSON.parse(read("summary.json"))).toEqual({ arms: [] });
  expect(JSON.parse(read("statistics.json"))).toEqual({ answer: 1 });
  expect(read("table.md")).toBe("| a |\n");
  record.writeResults({ summary: {}, statistics: undefined, table: "" });
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

test("others are kept out until it is closed", () => {
  const record = open();
  expect(mistake(open)).toMatch(/is in use by process/);
  record.close();
  open().close();
});

test("a directory that was made for nothing goes again; one that holds a run, or was there before, stays", () => {
  open().close();
  expect(existsSync(directory)).toBe(false);
  mkdirSync(directory);
  open().close();
  expect(readdirSync(directory)).toEqual([]);
  recordOnce();
  expect(readdirSync(directory).sort()).toEqual(["a", "experiment.json"]);
});

describe("refused, and left as it was, is a directory that holds", () => {
  test("another experiment: both are named", () => {
    recordOnce();
    expect(mistake(() => open("f".repeat(64)))).toBe(
      `${directory} holds experiment 01234567, this config is experiment ffffffff: ` +
        "name another directory with --out, or run the config that made it",
    );
    expect(JSON.parse(read("experiment.json"))).toEqual(document);
    expect(existsSync(join(directory, "lock")), "and it is free for others").toBe(false);
  });

  test.each([
    ["something else", "notes.txt", "mine"],
    ["an experiment.json that is damaged", "experiment.json", "{"],
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

test("what a controller left that died before its first word is taken over", () => {
  mkdirSync(directory);
  writeFileSync(join(directory, "lock"), "");
  writeFileSync(join(directory, "experiment.json.partial"), "{");
  recordOnce();
  expect(JSON.parse(read("experiment.json"))).toEqual(document);
});
