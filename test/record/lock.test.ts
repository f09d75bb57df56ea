import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { packageRoot } from "../../src/package-root.js";
import { holderOf, Lock } from "../../src/record/lock.js";
import { Presence } from "../../src/record/presence.js";
import { thisProcess } from "../../src/running-process.js";
import { temporaryDirectory } from "../experiment/scene.js";
import { mistake } from "../mistake.js";

/** Called before each of these calls of the lock: what another process does meanwhile. */
const meanwhile = vi.hoisted(() => ({ before: (_call: string) => {}, reading: (_path: string) => {} }));
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
    readFileSync: (...[path, options]: Parameters<typeof fs.readFileSync>) => {
      meanwhile.reading(String(path));
      return fs.readFileSync(path, options);
    },
  };
});
beforeEach(() => {
  Object.assign(meanwhile, { before: () => {}, reading: () => {} });
});

const dist = join(import.meta.dirname, "..", "..", "dist");

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ibatch-lock-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
});

const heldBy = (holder: unknown) => writeFileSync(join(directory, "lock"), JSON.stringify(holder));
const holder = () => JSON.parse(readFileSync(join(directory, "lock"), "utf8"));
const ours = { ...thisProcess(), host: hostname() };

/** A process that has ended: nobody has its number any more. */
const deadPid = (): number => spawnSync(process.execPath, ["-e", ""]).pid;

test("says who holds it, and is gone after release", () => {
  const lock = new Lock(directory);
  expect(holder()).toMatchObject(ours);
  lock.release();
  expect(existsSync(join(directory, "lock"))).toBe(false);
  const next = new Lock(directory);
  expect(holder()).toMatchObject(ours);
  next.release();
});

test("a second controller is refused while the first lives, and takes nothing away from it", () => {
  const lock = new Lock(directory);
  expect(mistake(() => new Lock(directory))).toBe(
    `${directory} is in use by process ${process.pid} on ${hostname()}: wait until it ends, or name another --out ` +
      `(if that is no ibatch any more, remove ${join(directory, "lock")})`,
  );
  expect(holder()).toMatchObject(ours);
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
    expect(holder()).toMatchObject(ours);
  });

  test.each(["", "{", "null", "[]", '"me"', '{"pid":"1"}'])("what names nobody: %j", (text) => {
    writeFileSync(join(directory, "lock"), text);
    new Lock(directory);
    expect(holder()).toMatchObject(ours);
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
    expect(seen.length).toBeGreaterThan(0);
    for (const text of seen) expect(JSON.parse(text)).toMatchObject(ours);
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
    expect(holder()).toMatchObject(ours);
  });

  test("release leaves a lock alone that is another's by now", () => {
    const lock = new Lock(directory);
    expect(holder()).toMatchObject(ours);
    heldBy(other);
    lock.release();
    expect(holder()).toEqual(other);
  });
});

test("a full disk is told", () => {
  meanwhile.before = (call) => {
    if (call === "write") throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC", syscall: "write" });
  };
  expect(mistake(() => new Lock(directory), "surroundings")).toMatch(`the disk is full: ${directory}/lock cannot`);
  expect(readdirSync(directory)).toEqual([]);
});

describe("a lock that cannot be read for a moment", () => {
  /** Whatever is read meanwhile of our directory. */
  const unreadable = (code: string) => {
    meanwhile.reading = (path) => {
      if (path.startsWith(directory)) throw Object.assign(new Error(code), { code, syscall: "open" });
    };
  };
  const REFUSED: [string, string][] = [
    ["EMFILE", "too many files are open"],
    ["EIO", "the disk fails (EIO)"],
    ["ESTALE", "the system refuses (ESTALE)"],
  ];

  test.each(REFUSED)("is not lost: %s", (code, why) => {
    const lock = new Lock(directory);
    unreadable(code);
    const said = mistake(() => lock.refuseIfLost(), "surroundings");
    expect(said).toContain(why);
    expect(said).not.toContain("another process's");
    expect(mistake(() => lock.release(), "surroundings")).toContain(why);
    meanwhile.reading = () => {};
    lock.refuseIfLost();
    lock.release();
    expect(readdirSync(directory)).toEqual([]);
  });

  test.each([...REFUSED, ["EACCES", "no permission"]])("is not free: %s", (code, why) => {
    const other = { ...ours, pid: process.ppid, startTicks: undefined };
    heldBy(other);
    writeFileSync(join(directory, "lock.other.partial"), JSON.stringify(other));
    unreadable(code);
    expect(mistake(() => new Lock(directory), "surroundings")).toContain(why);
    meanwhile.reading = () => {};
    expect(holder()).toMatchObject({ pid: process.ppid });
    expect(readdirSync(directory).sort()).toEqual(["lock", "lock.other.partial"]);
  });

  test("goes back where it was moved aside", () => {
    heldBy({ pid: deadPid(), host: hostname() });
    meanwhile.before = (call) => {
      if (call !== "rename") return;
      heldBy({ pid: process.ppid, host: hostname() });
      unreadable("EMFILE");
    };
    expect(mistake(() => new Lock(directory), "surroundings")).toContain("too many files are open");
    meanwhile.reading = () => {};
    expect(holder()).toMatchObject({ pid: process.ppid });
    expect(readdirSync(directory)).toEqual(["lock"]);
  });
});

test("what those left that were killed on their way to it goes, and nothing that a living one is about to link", () => {
  const dead = { ...ours, startTicks: 1 };
  const left = [
    "lock.mine-elsewhere-1.partial",
    "lock.a.partial",
    "lock.b.partial",
    "lock.living.partial",
    "film.partial",
  ];
  const texts = ["", '{"pid', JSON.stringify(dead), JSON.stringify(ours), ""];
  for (const [at, name] of left.entries()) writeFileSync(join(directory, name), texts[at]);
  const lock = new Lock(directory);
  lock.release();
  expect(readdirSync(directory).sort()).toEqual(["film.partial", "lock.living.partial"]);
});

describe.skipIf(process.platform !== "linux")("a number alone names nobody:", () => {
  test("a process that has it and began at another time is another one", () => {
    heldBy({ ...ours, startTicks: (ours.startTicks ?? 0) - 1 });
    new Lock(directory);
    expect(holder()).toMatchObject(ours);
  });

  test("so is our own, in a lock of before that tells no more: a container was started again", () => {
    heldBy({ pid: process.pid, host: hostname() });
    new Lock(directory);
    expect(holder()).toMatchObject(ours);
  });

  test("a process that has ended and that nobody has asked about holds nothing", async () => {
    const child = spawn(process.execPath, [
      "-e",
      "require('node:child_process').spawn('true'); process.stdout.write('begun'); for (;;);",
    ]);
    onTestFinished(() => void child.kill("SIGKILL"));
    await once(child.stdout, "data");
    const zombie = await vi.waitUntil(() => zombieOf(child.pid ?? 0), { timeout: 30_000 });
    heldBy({ pid: zombie, host: hostname() });
    const lock = new Lock(directory);
    expect(holder()).toMatchObject(ours);
    lock.release();
  });

  /** A child of this process that has ended, and that it does not ask about. */
  const zombieOf = (parent: number): number | undefined =>
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .find((pid) => {
        try {
          const [state, above] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
          return state === "Z" && Number(above) === parent;
        } catch {
          return false;
        }
      });
});

describe("a holder that cannot be asked is listened to:", () => {
  const path = () => join(directory, "lock");
  /** Heard this many seconds ago. */
  const heard = (holder: object, seconds: number) => {
    heldBy({ pid: 1, host: "pod", beats: true, ...holder });
    const at = Date.now() / 1000 - seconds;
    utimesSync(path(), at, at);
  };
  const elsewhere: [string, object][] = [
    ["of another container", { ...thisProcess(), pid: process.pid, pidNamespace: "pid:[1]" }],
    ["of another boot", { ...thisProcess(), pid: process.pid, bootId: "another" }],
    ["of another machine", { host: "elsewhere", bootId: "another" }],
  ];

  test.each(elsewhere)("%s: alive while it is heard, gone after a minute of silence", (_, holder) => {
    heard({ ...holder, beats: true }, 50);
    expect(mistake(() => new Lock(directory))).toMatch(
      /is in use by process \d+ on \w+: wait .* \(it cannot be asked from here: after 60 s of silence it counts as gone\)$/,
    );
    heard({ ...holder, beats: true }, 70);
    const lock = new Lock(directory);
    expect(JSON.parse(readFileSync(path(), "utf8"))).toMatchObject(ours);
    lock.release();
  });

  test("it is heard by the clock of the file system, however far ours is ahead; nothing is left of looking at it", () => {
    heard({ host: "elsewhere", bootId: "another" }, 0);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 600_000 });
    onTestFinished(() => void vi.useRealTimers());
    expect(holderOf(directory)).toMatchObject({ host: "elsewhere" });
    expect(readdirSync(directory)).toEqual(["lock"]);
  });

  test("what it is looked at by is no user's file to others, and may be swept by who takes the lock", () => {
    heard({ host: "elsewhere", bootId: "another" }, 0);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 600_000 });
    onTestFinished(() => void vi.useRealTimers());
    const seen: string[] = [];
    meanwhile.before = (call) => {
      if (call !== "rm" || seen.length > 0) return;
      seen.push(...readdirSync(directory).filter((name) => name !== "lock"));
      for (const name of seen) rmSync(join(directory, name));
    };
    expect(holderOf(directory)).toMatchObject({ host: "elsewhere" });
    expect(seen).toEqual([expect.stringMatching(/^lock\.[-0-9a-f]+\.partial$/)]);
  });

  test("the holder is heard every five seconds, and not after its release", () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const lock = new Lock(directory);
    const text = readFileSync(path(), "utf8");
    utimesSync(path(), 0, 0);
    vi.advanceTimersByTime(5000);
    expect(statSync(path()).mtimeMs).toBeGreaterThan(0);
    expect(readFileSync(path(), "utf8")).toBe(text);
    lock.release();
    heldBy({ pid: process.ppid, host: hostname() });
    vi.advanceTimersByTime(20_000);
    expect(holder()).toEqual({ pid: process.ppid, host: hostname() });
  });

  test("who was taken over says nothing more in the name of the new holder, and finds out before it writes", () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const lock = new Lock(directory);
    lock.refuseIfLost();
    rmSync(path());
    heldBy({ pid: process.ppid, host: hostname() });
    vi.advanceTimersByTime(20_000);
    expect(holder()).toEqual({ pid: process.ppid, host: hostname() });
    expect(mistake(() => lock.refuseIfLost(), "surroundings")).toMatch(`${directory} is another process's by now`);
    lock.release();
    expect(holder()).toEqual({ pid: process.ppid, host: hostname() });
  });
});

/** `unshare --pid` needs a right that not every machine gives. */
const UNSHARE = ["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"];
const canUnshare = spawnSync("unshare", [...UNSHARE, "true"]).status === 0;

describe.skipIf(!canUnshare)("in a pid namespace of its own", () => {
  /** What comes of taking the lock of our directory there. */
  const inside = (script = "new Lock(directory).release(); console.log('taken');") => {
    const program = `const { Lock } = await import(${JSON.stringify(join(dist, "record", "lock.js"))});
      const directory = ${JSON.stringify(directory)};
      try { ${script} } catch (error) { console.log(error.message); }`;
    return spawnSync("unshare", [...UNSHARE, process.execPath, "--input-type=module", "-e", program], {
      encoding: "utf8",
    });
  };

  test("a live lock is not taken, whatever process has the holder's number there", () => {
    const lock = new Lock(directory);
    expect(inside().stdout).toMatch(/is in use by process \d+ on .*cannot be asked from here/);
    lock.refuseIfLost();
    lock.release();
    expect(inside()).toMatchObject({ stdout: "taken\n" });
  });

  test("one that a killed container left is taken over when it has been silent for long", () => {
    inside("new Lock(directory); process.reallyExit();"); // nothing is done on the way, as at a kill
    expect(holder()).toMatchObject({ pid: expect.any(Number), beats: true });
    const long = Date.now() / 1000 - 70;
    utimesSync(join(directory, "lock"), long, long);
    expect(inside().stdout).toBe("taken\n");
  });
});

test("a process that ends at once, as at a second Ctrl-C, leaves no lock behind", () => {
  const directory = mkdtempSync(join(tmpdir(), "ibatch-lock-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const module = join(packageRoot, "dist", "record", "lock.js");
  const code = `const { Lock } = await import(${JSON.stringify(module)}); new Lock(${JSON.stringify(directory)}); process.exit(130);`;
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 130, stderr: "" });
  expect(readdirSync(directory)).toEqual([]);
});

test("a lock whose answer a network lost is this command's own", () => {
  const [experiment, run] = [temporaryDirectory(), temporaryDirectory()];
  const presence = new Presence(experiment, "a".repeat(64));
  linkSync(presence.path, join(run, "lock"));
  const lock = new Lock(run, { presence });
  expect(() => lock.refuseIfLost()).not.toThrow();
  lock.release();
  expect(readdirSync(run)).toEqual([]);
  presence.release();
  expect(readdirSync(experiment)).toEqual([]);
});
