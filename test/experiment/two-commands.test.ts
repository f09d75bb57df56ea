// Commands that work in one directory at a time: who takes which runs, what each is made beside, and what is told.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { thisProcess } from "../../src/running-process.js";
import type { Pretence } from "./fake-backend.js";
import { Scene, type SceneOptions } from "./scene.js";

/** Starts a second command in the scene once the first one has begun its first run, and waits for both. */
async function besideFirst(scene: Scene, second: () => Promise<unknown>, first: SceneOptions = {}) {
  let other: Promise<unknown> | undefined;
  const begun = async ({ type }: { readonly type: string }) => {
    if (type === "train") await (other ??= second());
  };
  const one = await scene.run({ ...first, pretence: { ...first.pretence, before: begun } });
  return { one, two: await other };
}

const noting = (lines: string[]) => ({ noted: (line: string) => void lines.push(line) });

const bytesOf = (scene: Scene) =>
  Object.fromEntries(
    ["frozen", "shuffled"]
      .flatMap((arm) => scene.files(arm))
      .filter((file) => !/run\.json|timings\.jsonl|SHA256SUMS/.test(file))
      .map((file) => [file, scene.bytes(file).toString("latin1")]),
  );

test("the same command a second time is refused, for nothing is left to take; the first one goes on", async () => {
  const scene = new Scene();
  const { one, two } = await besideFirst(scene, () => scene.run());
  expect(two).toMatchObject({
    error: {
      kind: "usage",
      message: expect.stringMatching(/is in use by process \d+ on .*, with all 4 runs that are left to do: wait until/),
    },
  });
  expect(one.results.map(({ state }) => state)).toEqual(["done", "done", "done", "done"]);
});

test("of a command that asks for more, what is held is left to the other, and told", async () => {
  const scene = new Scene();
  const lines: string[] = [];
  const more = () => scene.run({ settings: ["seeds=3"], observer: noting(lines) });
  const { one, two } = await besideFirst(scene, more);
  expect(two).toMatchObject({ error: undefined, results: [{ seed: 2 }, { seed: 2 }] });
  expect(lines).toContainEqual(expect.stringMatching(/^4 runs are left to process \d+ on .*: frozen, seed 0; /));
  expect(one.error).toBeUndefined();
  const { config } = JSON.parse(readFileSync(`${scene.directory}/experiment.json`, "utf8"));
  expect(config.seeds, "of both").toEqual([0, 1, 2]);
});

describe("shards in one directory", () => {
  test("one beside the other give the bits of one command", async () => {
    const alone = new Scene();
    await alone.run();
    const scene = new Scene();
    const shard = (index: number) => ({ shard: { index, count: 2 } });
    const { one, two } = await besideFirst(scene, () => scene.run(shard(1)), shard(0));
    expect([one.error, Object(two).error]).toEqual([undefined, undefined]);
    expect(one.results.map(({ arm, seed }) => `${arm} ${seed}`)).toEqual(["frozen 0", "shuffled 0"]);
    expect(bytesOf(scene)).toEqual(bytesOf(alone));
    const sideBySide = ["frozen", "shuffled"].map((arm) => scene.document(arm, 1).sideBySide);
    expect(sideBySide, "seconds are of shared cores").toEqual([2, 2]);
    expect(alone.document("frozen", 0).sideBySide).toBeUndefined();
    expect(scene.files().filter((file) => /lock|partial/.test(file))).toEqual([]);
  });

  test("in other surroundings than the other one: nothing is made beside what is under way", async () => {
    const scene = new Scene();
    const elsewhere: Pretence = { opened: { threads: 7 } };
    const { one, two } = await besideFirst(
      scene,
      () => scene.run({ shard: { index: 1, count: 2 }, pretence: elsewhere }),
      { shard: { index: 0, count: 2 } },
    );
    expect(two).toMatchObject({
      error: {
        kind: "usage",
        message: expect.stringMatching(/was made in surroundings that give other bits \(threads/),
      },
    });
    expect(one.error).toBeUndefined();
    expect(existsSync(`${scene.directory}/frozen/seed-1`)).toBe(false);
  });

  test("an arm with other settings than one that is begun under its name is refused", async () => {
    const scene = new Scene();
    const settings = ["arms.frozen.batching.size=4"];
    const { two } = await besideFirst(scene, () => scene.run({ shard: { index: 1, count: 2 }, settings }), {
      shard: { index: 0, count: 2 },
    });
    expect(two).toMatchObject({
      error: { kind: "usage", message: expect.stringMatching(/frozen with other settings/) },
    });
  });

  test("with a tuning tune their own arms, and know the rates of the others", async () => {
    const settings = ["tune={ learningRate: [0.05, 0.1], seeds: 1 }", "dataset={ name: digits, validation: 4 }"];
    const alone = new Scene();
    await alone.run({ settings });
    const scene = new Scene();
    for (const index of [1, 0]) {
      const { error } = await scene.run({ settings, shard: { index, count: 2 } });
      expect(error).toBeUndefined();
    }
    const tuning = (of: Scene) => JSON.parse(of.text("tuning.json"));
    expect(tuning(scene)).toEqual(tuning(alone));
    expect(bytesOf(scene)).toEqual(bytesOf(alone));
  });
});

describe("a command that left runs to another one, which dies", () => {
  /** Holds these runs as another process of this machine does; it has begun none of them. */
  function another(scene: Scene, ...runs: readonly string[]): ChildProcess {
    const child = spawn(process.execPath, ["-e", "process.stdin.resume()"], { stdio: ["pipe", "ignore", "ignore"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    const holder = { ...thisProcess(), pid: child.pid, startTicks: undefined, host: hostname(), beats: true };
    for (const run of runs) {
      mkdirSync(join(scene.directory, run), { recursive: true });
      writeFileSync(join(scene.directory, run, "lock"), JSON.stringify(holder));
    }
    return child;
  }

  const dies = async (child: ChildProcess) => {
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  };

  test("does what that one left, once its own are done, in the bits of one command", async () => {
    const alone = new Scene();
    const { results: all } = await alone.run();
    const scene = new Scene();
    const other = another(scene, "frozen/seed-0", "shuffled/seed-1");
    const lines: string[] = [];
    const before: Pretence["before"] = async ({ type }) => {
      if (type === "train" && other.exitCode === null && other.signalCode === null) await dies(other);
    };
    const { results, error } = await scene.run({ observer: noting(lines), pretence: { before } });
    expect(error).toBeUndefined();
    expect(results).toEqual(all);
    expect(bytesOf(scene)).toEqual(bytesOf(alone));
    const gone = `process ${other.pid} on ${hostname()} is gone, and what it left is done here: `;
    expect(lines).toContain(`${gone}frozen, seed 0; shuffled, seed 1`);
    expect(scene.files().filter((file) => /lock|partial/.test(file))).toEqual([]);
  });

  test("leaves them to one that lives", async () => {
    const scene = new Scene();
    another(scene, "frozen/seed-0", "shuffled/seed-1");
    const { results, error } = await scene.run();
    expect(error).toBeUndefined();
    expect(results.map(({ arm, seed }) => `${arm} ${seed}`)).toEqual(["shuffled 0", "frozen 1"]);
  });

  test("a shard does only its share of them", async () => {
    const scene = new Scene();
    const other = another(scene, "frozen/seed-0", "frozen/seed-1");
    const before: Pretence["before"] = async ({ type }) => {
      if (type === "train" && other.exitCode === null && other.signalCode === null) await dies(other);
    };
    const { results } = await scene.run({ shard: { index: 0, count: 2 }, pretence: { before } });
    expect(results.map(({ arm, seed }) => `${arm} ${seed}`)).toEqual(["frozen 0", "shuffled 0"]);
    expect(existsSync(join(scene.directory, "frozen/seed-1/run.json"))).toBe(false);
  });
});

describe("runs are held on another machine, where nobody can be asked", () => {
  const SECOND = 1000;
  const WAITS = "waits for process 7 on elsewhere: after 60 s of silence what is left there is done here";

  /** Heard just now. */
  const lockOf = (scene: Scene, run: string) => {
    const lock = join(scene.directory, run, "lock");
    mkdirSync(dirname(lock), { recursive: true });
    writeFileSync(lock, JSON.stringify({ pid: 7, host: "elsewhere", bootId: "another", beats: true }));
    return lock;
  };
  /** As the clock goes on while one waits: `age` seconds of silence, or a word. */
  const onceWaited = (lock: string, age: number, lines: string[] = []) => ({
    noted: (line: string) => {
      lines.push(line);
      if (line === WAITS) utimesSync(lock, Date.now() / SECOND - age, Date.now() / SECOND - age);
    },
  });

  test("one that was lost a moment ago is waited for at the end, and what it left is done", async () => {
    const scene = new Scene();
    const lines: string[] = [];
    const observer = onceWaited(lockOf(scene, "frozen/seed-1"), 70, lines);
    const { results, error } = await scene.run({ observer });
    expect(error).toBeUndefined();
    expect(results.map(({ state }) => state)).toEqual(["done", "done", "done", "done"]);
    expect(lines).toContain(WAITS);
    expect(lines).toContain("process 7 on elsewhere is gone, and what it left is done here: frozen, seed 1");
  });

  test("one that says a word meanwhile has its run left to it", async () => {
    const scene = new Scene();
    const { results, error } = await scene.run({ observer: onceWaited(lockOf(scene, "frozen/seed-1"), 3) });
    expect(error).toBeUndefined();
    expect(results.map(({ arm, seed }) => `${arm} ${seed}`)).toEqual(["frozen 0", "shuffled 0", "shuffled 1"]);
  });

  const ONE = { settings: ["seeds=1", "arms={ frozen: { order: frozen } }"] };

  test("all that is left, as of a task that is requeued from a lost node: it is waited for, and then done", async () => {
    const scene = new Scene();
    const { results, error } = await scene.run({ ...ONE, observer: onceWaited(lockOf(scene, "frozen/seed-0"), 70) });
    expect(error).toBeUndefined();
    expect(results.map(({ state }) => state)).toEqual(["done"]);
  });

  test("all that is left, and it lives: this command is refused", async () => {
    const scene = new Scene();
    const observer = onceWaited(lockOf(scene, "frozen/seed-0"), 3);
    const { error } = await scene.run({ ...ONE, observer });
    expect(error).toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/is in use by process 7 on elsewhere/),
    });
  });
});
