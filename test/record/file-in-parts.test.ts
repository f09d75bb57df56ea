import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { FileInParts } from "../../src/record/file-in-parts.js";
import { damage } from "../../src/record/read-file.js";

let path = "";
beforeEach(() => {
  const directory = mkdtempSync(join(tmpdir(), "ibatch-parts-"));
  path = join(directory, "state");
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
});

test.each([
  ["", 3, [""]],
  ["abcdef", 3, ["abc", "def"]],
  ["abcdefg", 3, ["abc", "def", "g"]],
  ["ab", 3, ["ab"]],
])("%j in parts of at most %i bytes", (text, most, parts) => {
  writeFileSync(path, text);
  const file = new FileInParts(path);
  expect([...file.parts(most)].map(String)).toEqual(parts);
  expect(file.checksum()).toEqual({ sha256: createHash("sha256").update(text).digest("hex"), bytes: text.length });
});

test("larger than a buffer can be", () => {
  const bytes = 2 ** 31 + 5; // readFileSync refuses 2 GiB
  writeFileSync(path, "");
  truncateSync(path, bytes);
  let read = 0;
  for (const part of new FileInParts(path).parts(2 ** 22)) read += part.length;
  expect(read).toBe(bytes);
});

test("one that is cut off while it is read is damaged", () => {
  writeFileSync(path, "abcdef");
  const parts = new FileInParts(path).parts(3);
  parts.next();
  truncateSync(path, 4);
  expect(() => parts.next()).toThrow(damage("it was cut off while it was read"));
});

test("one that is not there says so", () => {
  expect(() => new FileInParts(path)).toThrow("is missing");
});
