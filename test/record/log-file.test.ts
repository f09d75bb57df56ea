import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LOG, OLDER_LOG } from "../../src/record/experiment-files.js";
import { appendToLog } from "../../src/record/log-file.js";
import { temporaryDirectory } from "../experiment/scene.js";

test("lines get the time, those written together the same", () => {
  const directory = temporaryDirectory();
  appendToLog(directory, ["one", "two"]);
  appendToLog(directory, ["three"]);
  expect(readFileSync(join(directory, LOG), "utf8")).toMatch(/^(\d{4}-\d\d-\d\dT[\d:.]+Z) one\n\1 two\n\S+Z three\n$/);
  expect(existsSync(join(directory, OLDER_LOG))).toBe(false);
});

test("a log that has grown too long is begun anew, and the one before is kept: no more than two", () => {
  const directory = temporaryDirectory();
  const read = (name: string) => readFileSync(join(directory, name), "utf8").replace(/^\S+ /gm, "");
  const lines = ["a".repeat(60), "b".repeat(60), "c", "d".repeat(60), "e".repeat(60), "f"];
  for (const line of lines) appendToLog(directory, [line], { limitBytes: 150 });
  const older = `c\n${lines[3]}\n${lines[4]}\n`;
  expect([read(OLDER_LOG), read(LOG)]).toEqual([older, "f\n"]);
});
