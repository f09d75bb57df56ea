import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
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

/** A lock that says every few seconds that it is held, and was last heard this long ago. */
function heldElsewhere(place: string, secondsAgo: number): string {
  const text = `${process.pid} 1 ${place} id`;
  writeFileSync(path, text);
  const at = Date.now() / 1000 - secondsAgo;
  utimesSync(path, at, at);
  return text;
}

test.each(["another-boot/pid:[1]", "-/-"])(
  "a holder that cannot be asked from here (%s) is waited for while it is heard, and taken over after a minute",
  async (place) => {
    const text = heldElsewhere(place, 50);
    const seen: string[] = [];
    sleeping.meanwhile = () => {
      if (left().length === 0) return; // the dead one's is gone, ours not yet there
      seen.push(readFileSync(path, "utf8"));
      if (seen.length === 3) heldElsewhere(place, 70);
    };
    const said: string[] = [];
    const release = await takeLock(path, (line: string) => void said.push(line));
    expect(seen).toEqual([text, text, text]);
    expect(said).toEqual([
      `set-up: waiting for process ${process.pid} (in another container or machine; after 60 s of silence it counts as gone)\n`,
    ]);
    expect(readFileSync(path, "utf8")).not.toBe(text);
    release();
    expect(left()).toEqual([]);
  },
);

test("the holder is heard every five seconds, and not after its release", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const release = await takeLock(path, () => {});
  const text = readFileSync(path, "utf8");
  utimesSync(path, 0, 0);
  vi.advanceTimersByTime(5000);
  expect(statSync(path).mtimeMs).toBeGreaterThan(0);
  expect(readFileSync(path, "utf8")).toBe(text);
  release();
  writeFileSync(path, `${process.ppid}`);
  vi.advanceTimersByTime(20_000);
  expect(readFileSync(path, "utf8")).toBe(`${process.ppid}`);
});

describe.skipIf(process.platform !== "linux")("on Linux", () => {
  test("a process that has ended and that nobody has asked about holds nothing", async () => {
    const child = spawn(process.execPath, [
      "-e",
      "process.stdout.write(String(require('node:child_process').spawn('true').pid)); for (;;);",
    ]);
    onTestFinished(() => void child.kill("SIGKILL"));
    const [pid] = await once(child.stdout, "data");
    const stat = () => readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
    await vi.waitUntil(() => stat()[0] === "Z", { timeout: 30_000 });
    writeFileSync(path, `${pid} ${stat()[19]} x`);
    const said: string[] = [];
    sleeping.meanwhile = () => rmSync(path, { force: true }); // where it is waited for, not for ever
    const release = await takeLock(path, (line: string) => void said.push(line));
    expect(said).toEqual([]);
    expect(readFileSync(path, "utf8")).toMatch(new RegExp(`^${process.pid} `));
    release();
  });

  /** `unshare --pid` needs a right that not every machine gives. */
  const UNSHARE = ["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"];
  const canUnshare = spawnSync("unshare", [...UNSHARE, "true"]).status === 0;

  test.skipIf(!canUnshare)("a set-up that is under way is not taken for a dead one in a container", async () => {
    const release = await takeLock(path, () => {});
    const text = readFileSync(path, "utf8");
    const module = join(import.meta.dirname, "..", "..", "scripts", "setup", "lock.mjs");
    const program = `const { takeLock } = await import(${JSON.stringify(module)});
      await takeLock(${JSON.stringify(path)}, (line) => { console.log(line); process.exit(); });
      console.log("taken");`;
    const inside = spawnSync("unshare", [...UNSHARE, process.execPath, "--input-type=module", "-e", program], {
      encoding: "utf8",
    });
    expect(inside.stdout).toContain(`set-up: waiting for process ${process.pid} (in another container`);
    expect(readFileSync(path, "utf8")).toBe(text);
    release();
  });
});
