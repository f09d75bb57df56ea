import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { Lock } from "../../src/record/lock.js";
import { mistake } from "../mistake.js";

/** Called before each of these calls of the lock: what another process does meanwhile. */
const meanwhile = vi.hoisted(() => ({ before: (_call: string) => {} }));
vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  const watched =
    <A extends unknown[], R>(call: string, act: (...values: A) => R) =>
    (...values: A): R => {
      meanwhile.before(call);
      return act(...values);
    };
  return {
    ...fs,
    openSync: watched("open", fs.openSync),
    writeSync: watched("write", fs.writeSync),
    writeFileSync: watched("write", fs.writeFileSync),
    linkSync: watched("link", fs.linkSync),
    renameSync: watched("rename", fs.renameSync),
    rmSync: watched("rm", fs.rmSync),
  };
});
beforeEach(() => {
  meanwhile.before = () => {};
});

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
  expect(mistake(() => new Lock(join(directory, "no")), "surroundings")).toMatch(/^its directory is gone, or cannot/);
});

describe("two at a time", () => {
  const other = { pid: process.ppid, host: hostname() };
  /** Once, right before the first such call. */
  const once = (when: string, act: () => void) => {
    meanwhile.before = (call) => {
      if (call !== when) return;
      meanwhile.before = () => {};
      act();
    };
  };

  test("nobody ever sees the lock without its holder", () => {
    const seen: string[] = [];
    meanwhile.before = () => {
      if (existsSync(join(directory, "lock"))) seen.push(readFileSync(join(directory, "lock"), "utf8"));
    };
    const lock = new Lock(directory);
    meanwhile.before = () => {};
    expect(seen.filter((text) => text !== JSON.stringify(ours))).toEqual([]);
    lock.release();
    expect(readdirSync(directory)).toEqual([]);
  });

  test.each(["rename", "rm"])("who takes over what another has just taken over, puts it back (before %s)", (call) => {
    heldBy({ pid: deadPid(), host: hostname() });
    let taken = false;
    meanwhile.before = (now) => {
      if (now !== call || taken || !existsSync(join(directory, "lock"))) return;
      taken = true;
      meanwhile.before = () => {};
      heldBy(other);
    };
    expect(mistake(() => new Lock(directory))).toMatch(`is in use by process ${other.pid} on `);
    expect(holder()).toEqual(other);
    expect(readdirSync(directory)).toEqual(["lock"]);
  });

  test("who is beaten to a stale lock leaves the winner's alone", () => {
    heldBy({ pid: deadPid(), host: hostname() });
    once("rename", () => rmSync(join(directory, "lock")));
    new Lock(directory);
    expect(holder()).toEqual(ours);
  });

  test("release leaves a lock alone that is another's by now", () => {
    const lock = new Lock(directory);
    heldBy(other);
    lock.release();
    expect(holder()).toEqual(other);
  });
});

test("a full disk is told", () => {
  symlinkSync("/dev/full", join(directory, `lock.mine-${hostname()}-${process.pid}.partial`));
  expect(mistake(() => new Lock(directory), "surroundings")).toMatch(`the disk is full: ${directory}/lock cannot`);
  expect(readdirSync(directory)).toEqual([]);
});
