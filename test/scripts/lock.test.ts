import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { takeLock } from "../../scripts/setup/lock.mjs";

/** Called one after another, before a file is removed or renamed: what another process does meanwhile. */
const meanwhile = vi.hoisted(() => ({ calls: [] as (() => void)[] }));
vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  const watched =
    (act: (...args: never[]) => unknown) =>
    (...args: never[]) => {
      meanwhile.calls.shift()?.();
      return act(...args);
    };
  const mocked = { ...fs, renameSync: watched(fs.renameSync), rmSync: watched(fs.rmSync) };
  return { ...mocked, default: mocked };
});
/** Nobody waits: after the first wait the holder is gone. */
const sleeping = vi.hoisted(() => ({ meanwhile: () => {} }));
vi.mock("node:timers/promises", () => ({ setTimeout: async () => sleeping.meanwhile() }));

let path = "";
beforeEach(() => {
  const directory = mkdtempSync(join(tmpdir(), "ibatch-setup-lock-"));
  path = join(directory, "lock");
  meanwhile.calls = [];
  sleeping.meanwhile = () => {};
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
});

const left = () => readdirSync(join(path, ".."));
const DEAD = "999999999";

test.each([DEAD, `${DEAD} 1 x`, "", "nobody", `${process.pid}`, `${process.pid} 1 x`])(
  "what a set-up left that was killed is taken over: %j",
  async (text) => {
    writeFileSync(path, text);
    const release = await takeLock(path, () => {});
    expect(readFileSync(path, "utf8")).toMatch(new RegExp(`^${process.pid} `));
    release();
    expect(left()).toEqual([]);
  },
);

test("a lock that another has just taken is put back, and waited for", async () => {
  writeFileSync(path, DEAD);
  const other = `${process.ppid}`;
  // Between our look at the dead one's lock and its removal, another removes it and takes its own.
  meanwhile.calls = [() => {}, () => writeFileSync(path, other)];
  const seen: string[] = [];
  sleeping.meanwhile = () => {
    seen.push(readFileSync(path, "utf8"));
    if (seen.length === 2) rmSync(path);
  };
  const said: string[] = [];
  await takeLock(path, (line: string) => void said.push(line));
  expect(seen).toEqual([other, other]);
});

test("release leaves a lock alone that is another's by now", async () => {
  const release = await takeLock(path, () => {});
  writeFileSync(path, `${process.ppid}`);
  release();
  expect(readFileSync(path, "utf8")).toBe(`${process.ppid}`);
});
