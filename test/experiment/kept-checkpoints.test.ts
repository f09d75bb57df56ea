// Whatever refuses a run, or fails around it, its good checkpoints stay, and the run goes on from them.
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { BackendError, BackendLost } from "../../src/backend/errors.js";
import type { Observer } from "../../src/experiment/observer.js";
import { writeSealed } from "../../src/record/sealed.js";
import { orderModule } from "../order-files/own-order.js";
import type { Pretence, Sent } from "./fake-backend.js";
import { LOSSES, ONE_RUN, recorded, stoppedBefore, undisturbed } from "./one-run.js";
import { Scene, type SceneOptions } from "./scene.js";

/** What the disk refuses: with which code, of what is done with this path. */
type Refusing = (what: "write" | "open" | "read" | "lstat" | "rename" | "remove", path: string) => string | undefined;
const disk = vi.hoisted(() => ({ refusing: (() => undefined) as Refusing }));
vi.mock("node:fs/promises", async (original) => ({
  ...(await original<typeof import("node:fs/promises")>()),
  // written at once, so that every run has the same checkpoints
  open: async (path: string) => ({
    writeFile: async (data: Uint8Array) => {
      const code = disk.refusing("write", path);
      if (code !== undefined) throw Object.assign(new Error(code), { code, syscall: "write" });
      writeFileSync(path, data, { flag: "a" });
    },
    sync: async () => {},
    close: async () => {},
  }),
}));
vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  const refusable =
    (what: Parameters<Refusing>[0], name: "openSync" | "readFileSync" | "lstatSync" | "renameSync" | "rmSync") =>
    (path: string, ...rest: unknown[]) => {
      const code = disk.refusing(what, path);
      if (code !== undefined) throw Object.assign(new Error(code), { code, syscall: what, path });
      return Reflect.apply(fs[name], fs, [path, ...rest]);
    };
  return {
    ...fs,
    openSync: refusable("open", "openSync"),
    readFileSync: refusable("read", "readFileSync"),
    lstatSync: refusable("lstat", "lstatSync"),
    renameSync: refusable("rename", "renameSync"),
    rmSync: refusable("remove", "rmSync"),
  };
});
afterEach(() => {
  disk.refusing = () => undefined;
});

/** The run of `ONE_RUN`, and one of another arm after it. */
const TWO_RUNS = [...ONE_RUN, "arms={a: {order: {name: weighted, fraction: 0.5, by: loss}}, b: {order: frozen}}"];

const saved = (scene: Scene): string[] => {
  const checkpoints = join(scene.directory, "a/seed-4/checkpoint");
  return existsSync(checkpoints) ? readdirSync(checkpoints).sort() : [];
};

/** Gives the same command, on this backend, and returns what it said, and from where it went on. */
async function again(scene: Scene, { pretence, ...options }: SceneOptions = {}) {
  const said: string[] = [];
  const observer: Observer = { noted: (line) => said.push(line) };
  const ran = await scene.run({ settings: ONE_RUN, observer, ...options, pretence: { ...LOSSES, ...pretence } });
  const last = ran.clients.at(-1);
  return {
    ...ran,
    said,
    loads: ran.clients.flatMap((client) => client.sentOf("load").map(({ fields }) => fields.step)),
    trails: last?.trails,
  };
}

/** With code of the user's, of this version. */
const madeOf = (version: string): Pretence => ({
  opened: { code: [{ module: "team.model", file: "team/model.py", sha256: version.padStart(64, "c") }] },
});

/** Loses its backend once, at this step. */
function losing(step: number): { before(message: Sent): void; readonly isLost: boolean } {
  let isLost = false;
  return {
    get isLost() {
      return isLost;
    },
    before(message) {
      if (isLost || message.type !== "train" || message.fields.firstStep < step) return;
      isLost = true;
      throw new BackendLost("the backend ended");
    },
  };
}

describe("a run that is refused where it would go on", () => {
  const OTHER: Pretence = { opened: { threads: 2 } };

  test("in other surroundings, any number of times: it goes on where it was begun", async () => {
    const whole = await undisturbed();
    const scene = await stoppedBefore(7);
    const kept = saved(scene);
    const document = scene.text("experiment.json");
    for (let time = 0; time < 3; time++) {
      const settings = [...ONE_RUN, "backend.threads=2"];
      const { client, error, said } = await again(scene, { settings, pretence: OTHER });
      expect(error).toMatchObject({
        kind: "usage",
        message: expect.stringMatching(
          /threads 1, now 2.*, remove .*a\/seed-4 to train that run anew, or name another/,
        ),
      });
      expect(said).not.toContainEqual(expect.stringContaining("begins anew"));
      expect(client.sentOf("train")).toEqual([]);
      expect(saved(scene)).toEqual(kept);
      expect(scene.text("experiment.json")).toBe(document); // the command to go on with
    }
    const { loads, trails } = await again(scene);
    expect(loads).toEqual([8]);
    expect(trails).toEqual(whole.trails);
    expect(recorded(scene)).toEqual(whole.recorded);
  });

  test("with other code of the user's: no other run is made with that beside it", async () => {
    const scene = new Scene();
    const abort = new AbortController();
    const before: Pretence["before"] = (message) => {
      if (message.type === "train" && message.fields.firstStep >= 7) abort.abort();
    };
    await again(scene, { settings: TWO_RUNS, abort, pretence: { before, ...madeOf("a") } });
    const kept = saved(scene);
    const { error, client } = await again(scene, { settings: TWO_RUNS, pretence: madeOf("b") });
    expect(error).toMatchObject({ kind: "usage", message: expect.stringContaining("team/model.py is another") });
    expect(client.sentOf("train")).toEqual([]);
    expect(scene.has("b")).toBe(false);
    expect(saved(scene)).toEqual(kept);
    const { results } = await again(scene, { settings: TWO_RUNS, pretence: madeOf("a") });
    expect(results.map(({ state }) => state)).toEqual(["done", "done"]);
  });

  test("by the backend that came in place of the one that was lost: it goes on at one like that", async () => {
    const whole = await undisturbed();
    const scene = new Scene();
    const loss = losing(7);
    const openedFor = () => (loss.isLost ? { threads: 2 } : {});
    const first = await again(scene, { pretence: { ...loss, openedFor } });
    expect(first.results).toMatchObject([{ state: "failed", error: expect.stringContaining("threads 1, now 2") }]);
    expect(scene.document("a", 4)).toMatchObject({
      state: "failed",
      error: expect.stringContaining("threads 1, now 2"),
    });
    const kept = saved(scene);
    expect(kept).not.toEqual([]);
    await again(scene, { pretence: OTHER });
    expect(saved(scene)).toEqual(kept);
    const { loads, trails } = await again(scene);
    expect(loads).toEqual([Number(kept.at(-1))]);
    expect(trails).toEqual(whole.trails);
    expect(recorded(scene)).toEqual(whole.recorded);
  });

  test("by such a backend: no other run is made there beside it", async () => {
    const scene = new Scene();
    const loss = losing(7);
    const openedFor = () => (loss.isLost ? { threads: 2 } : {});
    const { results, clients } = await again(scene, { settings: TWO_RUNS, pretence: { ...loss, openedFor } });
    const refused = { state: "failed", error: expect.stringContaining("a/seed-4 was made in surroundings") };
    expect(results).toMatchObject([refused, { arm: "b", ...refused }]);
    expect(clients[1].sentOf("train")).toEqual([]);
    const { results: all } = await again(scene, { settings: TWO_RUNS });
    expect(all.map(({ state }) => state)).toEqual(["done", "done"]);
  });

  test("with other code, where a result was made with that, too: the result is named, and nothing is to be removed", async () => {
    const scene = new Scene();
    const settings = [...TWO_RUNS, "backend.restarts=0"];
    const first = await again(scene, { settings, pretence: { ...madeOf("a"), before: losing(7).before } });
    expect(first.results.map(({ state }) => state)).toEqual(["failed", "done"]);
    const kept = saved(scene);
    const { error } = await again(scene, { settings, pretence: madeOf("b") });
    expect(error).toMatchObject({
      kind: "usage",
      message: expect.stringMatching(
        /^arm a: \S+b\/seed-4 was made with other code .*; bring back what it was, or name another directory with --out$/,
      ),
    });
    expect(saved(scene)).toEqual(kept);
  });

  test("where two go on that are of other surroundings: to remove one of them is no way out", async () => {
    const scene = new Scene();
    const settings = [...TWO_RUNS, "backend.restarts=0"];
    const before: Pretence["before"] = (message) => {
      if (message.type === "train" && message.fields.firstStep >= 7) throw new BackendLost("the backend ended");
    };
    await again(scene, { settings, pretence: { before } });
    const { error } = await again(scene, { settings, pretence: OTHER });
    expect(error).toMatchObject({ kind: "usage", message: expect.stringMatching(/a\/seed-4 was .*threads 1, now 2/) });
    expect(error).not.toMatchObject({ message: expect.stringContaining("remove") });
  });

  test("beside one that goes on: one that is done by now is nothing to be removed", async () => {
    const scene = await stoppedBefore(7, TWO_RUNS);
    const loss = losing(7);
    const before: Pretence["before"] = (message) => {
      if (scene.document("a", 4).state === "done") loss.before(message);
    };
    const openedFor = () => (loss.isLost ? { threads: 2 } : {});
    const { results } = await again(scene, { settings: TWO_RUNS, pretence: { before, openedFor } });
    expect(results).toMatchObject([
      { arm: "a", state: "done" },
      { arm: "b", state: "failed", error: expect.stringMatching(/a\/seed-4 was made in .*threads 1, now 2/) },
    ]);
    expect(results[1].error).not.toContain("remove");
  });

  test("by what no run can go on with: it goes on when that is mended", async () => {
    const scene = await stoppedBefore(7);
    const before: Pretence["before"] = ({ type }) => {
      if (type === "load") throw new BackendLost("the backend ended");
    };
    const settings = [...ONE_RUN, "backend.restarts=0"];
    const lost = await again(scene, { settings, pretence: { before } });
    expect(lost.results.map(({ state }) => state)).toEqual(["failed"]);
    await again(scene, { pretence: OTHER });
    const { loads } = await again(scene);
    expect(loads).toEqual([8]);
  });
});

describe("a run that failed by itself", () => {
  const raising = (code: "bad_reference" | "internal" | "out_of_memory" | "unknown_session"): Pretence => ({
    before(message) {
      if (message.type === "train" && message.fields.firstStep >= 7) throw new BackendError(code, "it raised");
    },
  });

  test.each<[string, Pretence]>([
    ["other threads", { opened: { threads: 2 } }],
    ["other data", { opened: { dataSha256: "f".repeat(64) } }],
  ])("is refused with %s alone, and keeps its checkpoints", async (_, other) => {
    const scene = new Scene();
    await again(scene, { pretence: raising("out_of_memory") });
    const kept = saved(scene);
    expect(kept).not.toEqual([]);
    for (let time = 0; time < 2; time++) {
      const { error, client } = await again(scene, { pretence: other });
      expect(error).toMatchObject({ kind: "usage", message: expect.stringContaining("a/seed-4 was ") });
      expect(client.sentOf("train")).toEqual([]);
      expect(saved(scene)).toEqual(kept);
    }
    expect((await again(scene)).loads).toEqual([8]);
  });

  test("begins anew with other code, and says so", async () => {
    const whole = await undisturbed();
    const scene = new Scene();
    await again(scene, { pretence: { ...raising("bad_reference"), ...madeOf("a") } });
    expect(scene.document("a", 4)).toMatchObject({ state: "failed", failedByItself: true });
    const { said, loads, trails } = await again(scene, { pretence: madeOf("b") });
    const changed = "team/model.py is another (SHA-256 cccccccc, then cccccccc)";
    expect(said).toEqual([`a, seed 4: failed before, and begins anew: ${changed}`]);
    expect(loads).toEqual([]);
    expect(trails).toEqual(whole.trails);
    expect(scene.document("a", 4)).not.toHaveProperty("failedByItself");
  });

  test("is what others are made beside, unless its code is another now", async () => {
    const scene = new Scene();
    const abort = new AbortController();
    const failing: Pretence["before"] = (message) => {
      if (message.type === "train" && message.fields.firstStep >= 7) {
        abort.abort(); // before the other run begins
        throw new BackendError("internal", "it raised");
      }
    };
    const first = await again(scene, { settings: TWO_RUNS, abort, pretence: { before: failing, ...madeOf("a") } });
    expect(first.error).toMatchObject({ message: "interrupted" });
    expect(scene.document("a", 4)).toMatchObject({ state: "failed", failedByItself: true });
    const { opened } = madeOf("a");
    const others = await again(scene, { settings: TWO_RUNS, pretence: { opened: { ...opened, threads: 2 } } });
    expect(others.error).toMatchObject({ kind: "usage", message: expect.stringContaining("threads 1, now 2") });
    expect(scene.has("b/seed-4/metrics.jsonl")).toBe(false);
    const mended = await again(scene, { settings: TWO_RUNS, pretence: madeOf("b") });
    expect(mended.results.map(({ state }) => state)).toEqual(["done", "done"]);
  });

  test("goes on with the same code, and is none that failed once it is under way again", async () => {
    const scene = new Scene();
    await again(scene, { pretence: { ...raising("internal"), ...madeOf("a") } });
    const abort = new AbortController();
    const before: Pretence["before"] = ({ type }) => {
      if (type === "train") abort.abort();
    };
    const { loads } = await again(scene, { abort, pretence: { before, ...madeOf("a") } });
    expect(loads).toEqual([8]);
    expect(scene.document("a", 4)).not.toHaveProperty("failedByItself");
    await again(scene, { pretence: madeOf("b") });
    expect(saved(scene)).toContain("8");
  });

  test("is none whose session the backend has no longer", async () => {
    const scene = new Scene();
    await again(scene, { pretence: raising("unknown_session") });
    expect(scene.document("a", 4)).toMatchObject({ state: "failed" });
    expect(scene.document("a", 4)).not.toHaveProperty("failedByItself");
  });

  test("is none whose order failed: other code does not mend that, and its checkpoints stay", async () => {
    const scene = new Scene();
    const marker = scene.write("marker", "");
    const failing = `order: ({ eligible, size, epoch }) => {
      if (epoch === 2 && existsSync(${JSON.stringify(marker)})) throw new Error("the network disk is away");
      return { indices: eligible.slice().reverse(), offsets: offsetsOf(eligible.length, size) };
    },`;
    scene.write("mine.mjs", `import { existsSync } from "node:fs";\n${orderModule(failing)}`);
    const settings = [...ONE_RUN, "arms={a: {order: {file: ./mine.mjs}}}"];
    const first = await again(scene, { settings, pretence: madeOf("a") });
    expect(first.results).toMatchObject([{ state: "failed", error: expect.stringContaining("network disk is away") }]);
    const kept = saved(scene);
    expect(kept).not.toEqual([]);
    rmSync(marker);
    const other = await again(scene, { settings, pretence: madeOf("b") });
    expect(other.error).toMatchObject({ message: expect.stringContaining("team/model.py is another") });
    expect(saved(scene)).toEqual(kept);
    const { loads, results } = await again(scene, { settings, pretence: madeOf("a") });
    expect(loads).toEqual([Math.max(...kept.map(Number))]);
    expect(results.map(({ state }) => state)).toEqual(["done"]);
  });
});

test("a run that is interrupted while another backend is waited for is recorded as interrupted", async () => {
  const scene = new Scene();
  const abort = new AbortController();
  const loss = losing(7);
  const before: Pretence["before"] = (message) => {
    if (loss.isLost && message.type === "open") abort.abort();
    loss.before(message);
  };
  const { error } = await again(scene, { abort, pretence: { before } });
  expect(error).toMatchObject({ message: "interrupted" });
  expect(scene.document("a", 4)).toMatchObject({ state: "interrupted", error: "interrupted" });
});

describe("a checkpoint of the end, where one of its step is there from before the epoch was evaluated", () => {
  const FINAL = [...ONE_RUN, "checkpoint={everyBatches: 1, everyEpochs: null, keep: 1, final: true}"];
  const underWayAt = (scene: Scene, name: string) =>
    JSON.parse(scene.text(`a/seed-4/checkpoint/${name}/manifest.json`)).state.underWay;

  test("takes its place once it is whole", async () => {
    const scene = await stoppedBefore(8, FINAL);
    await again(scene, { settings: FINAL });
    expect(saved(scene)).toEqual(["9"]);
    expect(underWayAt(scene, "9")).toBeNull();
  });

  test("leaves that one where the disk refuses it: the same command goes on from there", async () => {
    const whole = await undisturbed();
    const scene = await stoppedBefore(8, FINAL);
    disk.refusing = (what, path) => (what === "write" && path.includes("/9-again/") ? "ENOSPC" : undefined);
    const { error, stoppedBy } = await again(scene, { settings: FINAL });
    expect(error ?? stoppedBy).toMatchObject({ kind: "surroundings" });
    expect(saved(scene)).toEqual(["9"]);
    expect(underWayAt(scene, "9")).not.toBeNull();
    disk.refusing = () => undefined;
    const { loads, trails } = await again(scene, { settings: FINAL });
    expect(loads).toEqual([9]);
    expect(trails).toEqual(whole.trails);
    expect(underWayAt(scene, "9")).toBeNull();
  });

  test("is used where it could not take the place, and takes it then", async () => {
    const scene = await stoppedBefore(8, FINAL);
    disk.refusing = (what, path) => (what === "rename" && path.endsWith("/9-again") ? "EIO" : undefined);
    const { error, stoppedBy } = await again(scene, { settings: FINAL });
    expect(error ?? stoppedBy).toMatchObject({ kind: "surroundings" });
    expect(saved(scene)).toEqual(["9-again"]);
    disk.refusing = () => undefined;
    const { loads, client } = await again(scene, { settings: FINAL });
    expect(loads).toEqual([9]);
    expect(client.sentOf("train")).toEqual([]);
    expect(saved(scene)).toEqual(["9"]);
    expect(scene.document("a", 4)).toMatchObject({ state: "done", finalCheckpoint: 9 });
  });

  test("goes where it is damaged and the one before is used", async () => {
    const scene = await stoppedBefore(8, FINAL);
    const manifest = "a/seed-4/checkpoint/9-again/manifest.json";
    disk.refusing = (what, path) =>
      what === "remove" && path.endsWith("/9/manifest.json") && scene.has(manifest) ? "EIO" : undefined;
    await again(scene, { settings: FINAL });
    disk.refusing = () => undefined;
    expect(saved(scene)).toEqual(["9", "9-again"]);
    writeFileSync(join(scene.directory, "a/seed-4/checkpoint/9-again/model.safetensors"), "damaged");
    const { said, loads } = await again(scene, { settings: FINAL });
    expect(said[0]).toContain("checkpoint/9-again is damaged (model.safetensors: SHA-256 ");
    expect(loads).toEqual([9]);
    expect(saved(scene)).toEqual(["9"]);
    expect(underWayAt(scene, "9")).toBeNull();
  });
});

test("a checkpoint that another ibatch wrote in its own way is refused, and stays", async () => {
  const scene = await stoppedBefore(7);
  const kept = saved(scene);
  for (const step of kept) {
    const path = join(scene.directory, "a/seed-4/checkpoint", step, "manifest.json");
    const { documentSha256: _, ...document } = JSON.parse(readFileSync(path, "utf8"));
    writeSealed(path, { ...document, version: 2, files: {} });
  }
  const { results, said } = await again(scene);
  expect(results).toMatchObject([
    {
      state: "failed",
      error: expect.stringContaining("manifest.json is of version 2, and this ibatch reads version 1"),
    },
  ]);
  expect(said).not.toContainEqual(expect.stringContaining("begins anew"));
  expect(saved(scene)).toEqual(kept);
});

describe("what the disk refuses of checkpoints", () => {
  const each = (batches: number) => [
    ...ONE_RUN,
    `checkpoint={everyBatches: ${batches}, everyEpochs: null}`,
    "backend.chunkBatches=1",
  ];
  const refusals = (lines: readonly string[]) => lines.filter((line) => line.includes("without a checkpoint at step"));
  const refused = (step: number) =>
    expect.stringMatching(
      new RegExp(
        `^a, seed 4: goes on without a checkpoint at step ${step}: the disk is full: \\S+checkpoint/${step} cannot be written$`,
      ),
    );

  test("is told to a person at the first of a row, with its run, and is in the log each time", async () => {
    const scene = new Scene();
    disk.refusing = (what, path) => (what === "write" && path.includes("/checkpoint/") ? "ENOSPC" : undefined);
    const lines: string[] = [];
    const { said, results } = await again(scene, { settings: each(4), log: (line) => lines.push(line) });
    expect(results.map(({ state }) => state)).toEqual(["done"]);
    expect(refusals(said)).toEqual([refused(4)]);
    expect(refusals(lines)).toEqual([4, 8].map(refused));
  });

  test("is told again where the disk had room meanwhile", async () => {
    const scene = new Scene();
    disk.refusing = (what, path) => (what === "write" && /\/checkpoint\/(2|8|10)\//.test(path) ? "ENOSPC" : undefined);
    const lines: string[] = [];
    const { said } = await again(scene, { settings: [...each(2), "epochs=5"], log: (line) => lines.push(line) });
    expect(refusals(said)).toEqual([2, 8].map(refused));
    expect(refusals(lines)).toEqual([2, 8, 10].map(refused));
  });

  test("is in the log where the run is lost and meets it again, and where nobody observes", async () => {
    const scene = new Scene();
    disk.refusing = (what, path) => (what === "write" && path.includes("/checkpoint/4/") ? "ENOSPC" : undefined);
    const lines: string[] = [];
    const pretence = { ...LOSSES, before: losing(5).before };
    await scene.run({ settings: each(4), pretence, log: (line) => lines.push(line) });
    expect(refusals(lines)).toEqual([4, 4].map(refused));
  });
});

test("an interruption takes a last checkpoint, also of a step whose checkpoint the disk refused before", async () => {
  const scene = new Scene();
  const abort = new AbortController();
  const before: Pretence["before"] = (message) => {
    if (message.type !== "train" || message.fields.firstStep < 8) return;
    disk.refusing = () => undefined;
    abort.abort();
  };
  disk.refusing = (what, path) => (what === "write" && path.includes("/checkpoint/8/") ? "ENOSPC" : undefined);
  const settings = [...ONE_RUN, "checkpoint={everyBatches: 4, everyEpochs: null}", "backend.chunkBatches=1"];
  await again(scene, { settings, abort, pretence: { before } });
  expect(saved(scene)).toContain("8");
});

test("checkpoints that are whole stay where the backend takes none of them", async () => {
  const scene = await stoppedBefore(7);
  const kept = saved(scene);
  const before: Pretence["before"] = ({ type }) => {
    if (type === "load") throw new BackendError("bad_state", "the state cannot be loaded: odd");
  };
  const { results, client } = await again(scene, { pretence: { before } });
  const why =
    /has checkpoints that are whole, and none can be gone on from \(the state cannot be loaded: odd\): bring back/;
  expect(results).toMatchObject([{ state: "failed", error: expect.stringMatching(why) }]);
  expect(client.sentOf("train")).toEqual([]);
  expect(saved(scene)).toEqual(kept);
  expect((await again(scene)).loads).toEqual([8]);
});

describe("checkpoints that lie elsewhere", () => {
  test("are not gone where the link to them leads nowhere just now", async () => {
    const whole = await undisturbed();
    const scene = await stoppedBefore(7);
    const [place, away] = ["a/seed-4/checkpoint", "elsewhere"].map((name) => join(scene.directory, name));
    renameSync(place, `${scene.directory}-elsewhere`);
    symlinkSync(away, place);
    const { error, client } = await again(scene);
    expect(error).toMatchObject({
      kind: "surroundings",
      message: expect.stringMatching(/checkpoint is a link to .*elsewhere, which is not there/),
    });
    expect(client.sentOf("train")).toEqual([]);
    rmSync(place);
    symlinkSync(`${scene.directory}-elsewhere`, place);
    expect((await again(scene)).loads).toEqual([8]);
    expect(recorded(scene)).toEqual(whole.recorded);
  });

  test("and cannot be seen when the run has failed: that run is told of, and what is missing ends the others", async () => {
    const scene = new Scene();
    const loss = losing(7);
    const before: Pretence["before"] = (message) => {
      try {
        loss.before(message);
      } catch (error) {
        renameSync(join(scene.directory, "a/seed-4/checkpoint"), `${scene.directory}-elsewhere`);
        symlinkSync(join(scene.directory, "nowhere"), join(scene.directory, "a/seed-4/checkpoint"));
        throw error;
      }
    };
    const ended: string[] = [];
    const { results, stoppedBy, error, clients } = await again(scene, {
      settings: [...TWO_RUNS, "backend.restarts=0"],
      observer: { runEnded: ({ arm }, { state, error }) => ended.push(`${arm} ${state}: ${error}`) },
      pretence: { before },
    });
    expect(error).toBeUndefined();
    const missing = expect.stringMatching(
      /^a, seed 4: whether it goes on cannot be seen: .*nowhere, which is not there/,
    );
    expect(stoppedBy).toMatchObject({ kind: "surroundings", message: missing });
    expect(results.map(({ state }) => state)).toEqual(["failed", "failed"]);
    expect(ended).toEqual([
      expect.stringMatching(/^a failed: the backend ended/),
      expect.stringMatching(/^b failed: not tried: a, seed 4: whether it goes on/),
    ]);
    expect(clients).toHaveLength(1);
  });

  test("are in the way of no command that does not ask for their run, which is left out by its name", async () => {
    const scene = await stoppedBefore(7);
    const place = join(scene.directory, "a/seed-4/checkpoint");
    renameSync(place, `${scene.directory}-elsewhere`);
    symlinkSync(join(scene.directory, "nowhere"), place);
    const { said, results } = await again(scene, { settings: [...ONE_RUN, "arms={b: {order: frozen}}"] });
    expect(results).toMatchObject([{ arm: "b", state: "done" }]);
    expect(said).toContainEqual(
      expect.stringMatching(
        /^left out: a, seed 4: whether it goes on cannot be seen: .*a\/seed-4\/checkpoint is a link to .*nowhere, which is not there/,
      ),
    );
  });
});

describe("a checkpoint that the system refuses to read is not taken for damaged", () => {
  test("its state, while the backend loads it", async () => {
    const scene = await stoppedBefore(7);
    const kept = saved(scene);
    let opens = 0;
    disk.refusing = (what, path) =>
      what === "open" && path.endsWith("8/model.safetensors") && ++opens > 1 ? "EIO" : undefined;
    const { error, client } = await again(scene);
    expect(opens).toBe(2);
    expect(error).toMatchObject({ kind: "surroundings" });
    expect(client.sentOf("train")).toEqual([]);
    expect(saved(scene)).toEqual(kept);
    disk.refusing = () => undefined;
    expect((await again(scene)).loads).toEqual([8]);
  });

  test.each<[string, Parameters<Refusing>[0], string, string]>([
    ["its state, for the disk fails", "open", "EIO", "checkpoint/8/model.safetensors cannot be read (EIO)"],
    [
      "its state, for too many files are open",
      "open",
      "EMFILE",
      "checkpoint/8/model.safetensors cannot be read (EMFILE)",
    ],
    [
      "its state, without permission",
      "open",
      "EACCES",
      "checkpoint/8/model.safetensors cannot be read (no permission)",
    ],
    ["whether it is there", "lstat", "EIO", "checkpoint/8/manifest.json cannot be read (EIO)"],
  ])("%s", async (_, what, code, message) => {
    const whole = await undisturbed();
    const scene = await stoppedBefore(7);
    const kept = saved(scene);
    const file = what === "open" ? "model.safetensors" : "manifest.json";
    disk.refusing = (did, path) => (did === what && path.endsWith(`8/${file}`) ? code : undefined);
    const { error, client } = await again(scene);
    expect(error).toMatchObject({ kind: "surroundings", message: expect.stringContaining(message) });
    expect(client.sentOf("train")).toEqual([]);
    expect(saved(scene)).toEqual(kept);
    disk.refusing = () => undefined;
    const { loads } = await again(scene);
    expect(loads).toEqual([8]);
    expect(recorded(scene)).toEqual(whole.recorded);
  });
});

test("a run is done though its checkpoints cannot be removed; the next command removes them", async () => {
  const scene = new Scene();
  disk.refusing = (what, path) => {
    const isDone = what === "remove" && path.includes("/checkpoint/") && scene.document("a", 4).state === "done";
    return isDone ? "ENOTEMPTY" : undefined;
  };
  const { results, said } = await again(scene);
  expect(results.map(({ state }) => state)).toEqual(["done"]);
  expect(scene.document("a", 4)).toMatchObject({ state: "done" });
  expect(said).toContainEqual(expect.stringMatching(/^a, seed 4: is done; .* stay: .*checkpoint\/\d/));
  expect((await again(scene)).results.map(({ state }) => state)).toEqual(["done"]);
  disk.refusing = () => undefined;
  await again(scene);
  expect(saved(scene)).toEqual([]);
});

test("an experiment.json that the system refuses to read stays what it is", async () => {
  const scene = await stoppedBefore(7);
  const before = scene.text("experiment.json");
  disk.refusing = (what, path) => (what === "read" && path.endsWith("/experiment.json") ? "EIO" : undefined);
  await expect(again(scene)).rejects.toMatchObject({
    kind: "surroundings",
    message: expect.stringMatching(
      /experiment\.json cannot be read \(EIO\): mend that and give the same command again$/,
    ),
  });
  disk.refusing = () => undefined;
  expect(scene.files().filter((file) => !file.includes("/"))).toEqual(["experiment.json", "log.txt"]);
  expect(scene.text("experiment.json")).toBe(before);
  expect((await again(scene)).loads).toEqual([8]);
});

test("a command that cannot look at experiment.json when it ends lets others in all the same", async () => {
  const scene = new Scene();
  const abort = new AbortController();
  const before: Pretence["before"] = ({ type }) => {
    if (type !== "train") return;
    disk.refusing = (what, path) => (what === "read" && path.endsWith("/experiment.json") ? "EIO" : undefined);
    abort.abort();
  };
  const { error } = await again(scene, { abort, pretence: { before } });
  expect(error).toMatchObject({ message: "interrupted" });
  expect(scene.has("experiment.json")).toBe(true);
  expect(scene.has("lock")).toBe(false);
});

test.each([
  ["of a run that was stopped", () => stoppedBefore(7)],
  [
    "of a run that is done",
    async () => {
      const scene = new Scene();
      await again(scene);
      return scene;
    },
  ],
])("a run.json that the system refuses to read is not damaged: %s", async (_, made) => {
  const scene = await made();
  const files = scene.files();
  disk.refusing = (what, path) => (what === "read" && path.endsWith("/run.json") ? "EMFILE" : undefined);
  const { error, client } = await again(scene);
  expect(error).toMatchObject({
    kind: "surroundings",
    message: expect.stringMatching(/run\.json cannot be read \(EMFILE\): mend that and give the same command again$/),
  });
  expect(client.sentOf("train")).toEqual([]);
  disk.refusing = () => undefined;
  expect(scene.files()).toEqual(files);
});
