import { spawnSync } from "node:child_process";
import { chownSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeTemporaryDirectory, TEMPORARY_NAME_BYTES } from "../src/temporary-directory.js";
import { temporaryDirectory } from "./experiment/scene.js";
import { mistake } from "./mistake.js";

/** The name of ours, as if another process had made it. */
const asIf = (name: string, pid: number, start?: string) =>
  name
    .replace(`-${process.pid}-`, `-${pid}-`)
    .replace(/-\w+-(\w{6})$/, (all, random) => (start ? `-${start}-${random}` : all));

const deadPid = (): number => spawnSync(process.execPath, ["-e", ""]).pid;

test("is for this user alone, and short enough for a socket's path", () => {
  const made = makeTemporaryDirectory(temporaryDirectory());
  expect(statSync(made).mode & 0o777).toBe(0o700);
  expect(Buffer.byteLength(made.slice(made.lastIndexOf("/") + 1))).toBeLessThanOrEqual(TEMPORARY_NAME_BYTES);
});

test("what a killed process left goes with the next one, and nothing that is somebody's", () => {
  const parent = temporaryDirectory();
  const made = makeTemporaryDirectory(parent).slice(parent.length + 1);
  const left = asIf(made, deadPid());
  const foreign = ["ibatch-abcdef", "ibatch-test-abcdef", `ibatch-${deadPid()}-000000-1-abcdef`, "notes"];
  for (const name of [left, ...foreign]) mkdirSync(join(parent, name));
  writeFileSync(join(parent, left, "control"), "");
  const second = makeTemporaryDirectory(parent).slice(parent.length + 1);
  expect(readdirSync(parent).sort()).toEqual([made, second, ...foreign].sort());
});

test.skipIf(process.getuid?.() !== 0)("what another user's killed process left is that user's, also for root", () => {
  const parent = temporaryDirectory();
  const made = makeTemporaryDirectory(parent).slice(parent.length + 1);
  const left = asIf(made, deadPid());
  mkdirSync(join(parent, left));
  chownSync(join(parent, left), 65_534, 65_534);
  const second = makeTemporaryDirectory(parent).slice(parent.length + 1);
  expect(readdirSync(parent).sort()).toEqual([made, second, left].sort());
});

test.skipIf(process.platform !== "linux")("a number that was given to another process since names nobody", () => {
  const parent = temporaryDirectory();
  const made = makeTemporaryDirectory(parent).slice(parent.length + 1);
  mkdirSync(join(parent, asIf(made, process.ppid, "1")));
  const second = makeTemporaryDirectory(parent).slice(parent.length + 1);
  expect(readdirSync(parent).sort()).toEqual([made, second].sort());
});

test("where none can be made is said in one line, with what to do", () => {
  const parent = join(temporaryDirectory(), "gone");
  expect(mistake(() => makeTemporaryDirectory(parent), "surroundings")).toBe(
    `there is no directory ${parent} for temporary files: make it, or name another one by TMPDIR`,
  );
  expect(mistake(() => makeTemporaryDirectory("/dev/null"), "surroundings")).toBe(
    "no directory can be made in /dev/null (ENOTDIR): mend that, or name another one by TMPDIR",
  );
});
