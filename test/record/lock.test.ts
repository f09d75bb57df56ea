import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { Lock } from "../../src/record/lock.js";
import { mistake } from "../mistake.js";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ibatch-lock-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
});

const heldBy = (holder: unknown) => writeFileSync(join(directory, "lock"), JSON.stringify(holder));
const holder = () => JSON.parse(readFileSync(join(directory, "lock"), "utf8"));
const ours = { pid: process.pid, host: hostname() };

/** A process that has ended: nobody has its number any more. */
const deadPid = (): number => spawnSync(process.execPath, ["-e", ""]).pid;

test("says who holds it, and is gone after release", () => {
  const lock = new Lock(directory);
  expect(holder()).toEqual(ours);
  lock.release();
  expect(existsSync(join(directory, "lock"))).toBe(false);
  new Lock(directory).release();
});

test("a second controller is refused while the first lives, and takes nothing away from it", () => {
  const lock = new Lock(directory);
  expect(mistake(() => new Lock(directory))).toBe(
    `${directory} is in use by process ${process.pid} on ${hostname()}: wait until it ends, or name another --out ` +
      `(if that is no ibatch any more, remove ${join(directory, "lock")})`,
  );
  expect(holder()).toEqual(ours);
  lock.release();
});

test("a holder on another machine cannot be asked, so it counts as alive", () => {
  heldBy({ pid: deadPid(), host: "elsewhere" });
  expect(mistake(() => new Lock(directory))).toMatch(/is in use by process \d+ on elsewhere: wait/);
});

describe("taken over is", () => {
  test("what a process that died left behind", () => {
    heldBy({ pid: deadPid(), host: hostname() });
    new Lock(directory);
    expect(holder()).toEqual(ours);
  });

  test.each(["", "{", "null", "[]", '"me"', '{"pid":"1"}'])("what names nobody: %j", (text) => {
    writeFileSync(join(directory, "lock"), text);
    new Lock(directory);
    expect(holder()).toEqual(ours);
  });
});

test("a directory that is not there is an error, not a free lock", () => {
  expect(() => new Lock(join(directory, "no"))).toThrow("ENOENT");
});
