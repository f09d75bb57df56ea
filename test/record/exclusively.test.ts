// What is done in a directory with others kept out, also by one who is slow in it.
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { exclusively, SharedDirectory } from "../../src/record/exclusively.js";
import { ReportedRecord } from "../../src/record/results-record.js";
import { temporaryDirectory } from "../experiment/scene.js";
import { mistake } from "../mistake.js";

const LOST = /is another process's by now \(this one was silent for 20 s, or its lock was removed\)/;

test("what is done within it is done with others kept out, and then they are let in", () => {
  const directory = temporaryDirectory();
  const shared = new SharedDirectory(directory);
  const names = shared.exclusively(() => shared.exclusively(() => readdirSync(directory)));
  expect(names).toEqual(["lock"]);
  expect(exclusively(directory, () => "others")).toBe("others");
  expect(readdirSync(directory)).toEqual([]);
});

test("one who was taken for gone in the middle writes nothing more, and leaves the lock to the other", () => {
  const directory = temporaryDirectory();
  const lock = join(directory, "lock");
  const record = new ReportedRecord(directory);
  const said = mistake(
    () =>
      record.exclusively(() => {
        writeFileSync(lock, "another's");
        record.writeReport("");
      }),
    "surroundings",
  );
  expect(said).toMatch(LOST);
  expect(existsSync(join(directory, "report.html"))).toBe(false);
  expect(readFileSync(lock, "utf8")).toBe("another's");
});

test("in a long loop it says that it lives, and finds out where it is too late", () => {
  const directory = temporaryDirectory();
  const lock = join(directory, "lock");
  const shared = new SharedDirectory(directory);
  const heardAt = shared.exclusively(() => {
    utimesSync(lock, 0, 0);
    shared.sayAlive();
    return statSync(lock).mtimeMs;
  });
  expect(heardAt).toBeGreaterThan(0);
  const tooLate = () =>
    shared.exclusively(() => {
      writeFileSync(lock, "another's");
      shared.sayAlive();
    });
  expect(mistake(tooLate, "surroundings")).toMatch(LOST);
});
