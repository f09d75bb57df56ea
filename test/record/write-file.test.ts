import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { addWhole, writeWhole, writeWholeJson } from "../../src/record/write-file.js";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ibatch-whole-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
});

test("the file holds what was written, and nothing else is left", () => {
  writeWhole(join(directory, "a"), "one");
  writeWhole(join(directory, "a"), Uint8Array.of(0x74, 0x77, 0x6f));
  expect(readFileSync(join(directory, "a"), "utf8")).toBe("two");
  expect(readdirSync(directory)).toEqual(["a"]);
});

test("who reads the old file meanwhile goes on reading it, whole: the new one takes its name, not its bytes", () => {
  writeWhole(join(directory, "a"), "old");
  const file = openSync(join(directory, "a"), "r");
  writeWhole(join(directory, "a"), "new and longer");
  expect(readFileSync(file, "utf8")).toBe("old");
  closeSync(file);
});

test("JSON is laid out for a person, with the newline at the end", () => {
  writeWholeJson(join(directory, "a"), { b: [1] });
  expect(readFileSync(join(directory, "a"), "utf8")).toBe('{\n  "b": [\n    1\n  ]\n}\n');
});

test("what a dead writer left half-written is written over", () => {
  writeFileSync(join(directory, "a.partial"), "a long half of something");
  writeWhole(join(directory, "a"), "one");
  expect(readFileSync(join(directory, "a"), "utf8")).toBe("one");
  expect(readdirSync(directory)).toEqual(["a"]);
});

test("a file is added whole where there is none, and another one is left as it is", () => {
  const path = join(directory, "a");
  const added = { mode: 0o600, option: "DIR" };
  expect([addWhole(path, "one", added), addWhole(path, "two", added)]).toEqual([true, false]);
  expect(readFileSync(path, "utf8")).toBe("one");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(directory)).toEqual(["a"]);
  expect(() => addWhole(join(path, "b"), "one", added)).toThrow(/a file in the way: .*, or name another DIR/);
});

describe("when writing fails, it says so and leaves all as it was", () => {
  test("no such directory", () => {
    expect(() => writeWhole(join(directory, "no", "a"), "one")).toThrow("its directory is gone, or cannot hold it: ");
    expect(readdirSync(directory)).toEqual([]);
  });

  test("the name is a directory's: the temporary file goes again", () => {
    mkdirSync(join(directory, "a", "inner"), { recursive: true });
    expect(() => writeWhole(join(directory, "a"), "one")).toThrow(/there is a directory in the way|ENOTEMPTY/);
    expect(readdirSync(directory)).toEqual(["a"]);
  });

  test("the new text cannot be written: the old file is whole", () => {
    writeWhole(join(directory, "a"), "old");
    mkdirSync(join(directory, "a.partial")); // stands in for a disk that refuses
    expect(() => writeWhole(join(directory, "a"), "new")).toThrow();
    expect(readFileSync(join(directory, "a"), "utf8")).toBe("old");
  });
});
